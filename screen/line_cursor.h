// In which column of a terminal's line the cursor stands, as long as that is certain. Pure.
#pragma once

#include <algorithm>
#include <string_view>

#include "screen/escape_parser.h"

namespace vml::screen {

// Terminals do not agree on how wide a character is that is not ASCII, nor on what a backspace does behind
// the last column: from there on nothing is known of the line.
class LineCursor {
  public:
    explicit LineCursor(int columns) : columns_{std::max(1, columns)} {}

    // What goes to the terminal, a move to another line included: that is one with nothing on it.
    void take(const Piece& piece);
    // Would this stay on the cursor's line, short of its last column?
    [[nodiscard]] bool holds(const Piece& piece) const;

    // The cursor is at the beginning of a line that is empty.
    void new_line() { *this = LineCursor{columns_}; }
    // It is anywhere.
    void lose() { known_ = false; }
    // The terminal has another width: what it wrapped, or wraps now, is elsewhere.
    void resize(int columns);

    // Is its place known, and the last column free? Behind that a terminal waits for what comes to wrap it,
    // which it may forget when the cursor is put back.
    [[nodiscard]] bool is_certain() const { return known_ && column_ < columns_ && end_ < columns_; }
    // How many columns to the right the line's text ends.
    [[nodiscard]] int to_end() const { return std::max(0, end_ - column_); }

  private:
    void text(std::string_view characters);
    void control(char c);
    void edit(const Piece& piece);
    void put_at(int column);

    int columns_;
    int column_ = 0;  // `columns_`: behind the last one
    int end_ = 0;     // of the line's text, or more
    int wraps_ = 0;   // so many rows above it what was written began
    bool known_ = true;
};

}  // namespace vml::screen
