// A guest's console as text for a log: pure.
#pragma once

#include "screen/escape_parser.h"
#include "screen/guest_text.h"
#include "screen/utf8_text.h"

namespace vml::screen {

// Nothing but text, tabs and newlines comes out, and comes out at once, so a log cannot be taken back:
// - what is written over what stands in the line already follows behind a space ("10%\b\b\b20%" becomes
//   "10% 20%"), or on a line of its own where it begins the line anew ("\r");
// - wiping ("\b \b") writes nothing;
// - a move of the cursor to elsewhere begins a line, in which leading blanks are left out.
class LogText : public GuestText {
  public:
    [[nodiscard]] std::string feed(std::string_view bytes) override;
    [[nodiscard]] bool mid_line() const override { return open_; }
    [[nodiscard]] std::string before_own_lines() override;
    [[nodiscard]] std::string after_own_lines() override { return ""; }
    [[nodiscard]] std::string restore() override { return before_own_lines(); }

  private:
    void take(const Piece& piece);
    void text(std::string_view clean);
    void character(std::string_view character);
    void write_over();
    void control(char c);
    void newline();
    void end_line();
    void sequence(const Piece& piece);
    void address(int row, int column);
    void move_to(int column);

    EscapeParser parser_;
    Utf8Text utf8_;
    std::string out_;
    int column_ = 0;       // where the next character goes
    int written_ = 0;      // behind the last character that the log's line has
    bool open_ = false;    // the log's line has something
    bool fresh_ = true;    // nothing was done since the newline
    bool edited_ = false;  // the cursor went back in it: blanks may be no more than wipes
    bool drawn_ = false;   // the cursor was put here: this is a screen, not running text
    int row_ = -1;         // where it was put last
};

}  // namespace vml::screen
