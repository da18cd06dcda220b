// A row of others' at the bottom of a terminal on which a guest's text flows: what has to go to the terminal.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "screen/escape_parser.h"

namespace vml::screen {

// Smaller terminals have no room for one.
inline constexpr int fewest_columns = 24;
inline constexpr int fewest_rows = 6;

// The row has a line of its own below a scroll region (DECSTBM), so that text flows above it. It gives way,
// and the whole screen is the guest's, before the first sequence that does more than write and edit a line:
// the alternate screen, margins, a cursor that is put somewhere, a clear of the whole screen. It comes back
// once the guest has written so many lines since that all it had drawn is scrolled away.
class BottomRow {
  public:
    BottomRow(int columns, int rows) : columns_{columns}, rows_{rows} {}

    // What others write to the terminal → what goes there.
    [[nodiscard]] std::string pass(std::string_view bytes);
    // The row says this from now on: at most one column less than the terminal has, with colours that it puts
    // back. Empty: there is no row.
    [[nodiscard]] std::string show(std::string text);
    // The terminal's new size.
    [[nodiscard]] std::string resize(int columns, int rows);

    [[nodiscard]] bool is_shown() const { return shown_; }

  private:
    void take(const Piece& piece);
    void control(char c);
    void sequence(const Piece& piece);
    void give_way();
    void settle();
    [[nodiscard]] bool may_show() const;
    [[nodiscard]] std::string drawn() const;
    [[nodiscard]] std::string hidden() const;

    int columns_;
    int rows_;
    EscapeParser parser_;
    std::string out_;
    std::string text_;
    int column_ = 0;          // of the cursor, as far as text alone tells
    int newlines_ = 0;        // since the screen was taken
    bool shown_ = false;      // the scroll region is set, and the row drawn
    bool taken_ = false;      // the screen is the guest's
    bool alternate_ = false;  // or its alternate one is
    bool wiped_ = false;      // the row was erased together with what is below the cursor
};

}  // namespace vml::screen
