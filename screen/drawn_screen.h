// Does a guest draw on the terminal's screen, or does its text flow? Pure.
#pragma once

#include "screen/escape_parser.h"

namespace vml::screen {

// A guest that puts the cursor somewhere draws, until it has cleared the screen (to write from its top, or
// from where the cursor is, as SeaBIOS does), or has scrolled away all that was there. One that has changed
// the screen itself, by margins, by the other screen or by what is not known here, is taken to draw for ever.
class DrawnScreen {
  public:
    // What goes to a terminal of so many rows.
    void take(const Piece& piece, int rows);

    [[nodiscard]] bool is_drawn() const { return drawn_ || over_; }
    // What was taken last emptied the screen, and the cursor stands at its top.
    [[nodiscard]] bool begins_anew() const { return anew_; }
    // The guest's own cursor is kept by the terminal (DECSC), which can keep one.
    [[nodiscard]] bool keeps_cursor() const { return keeps_cursor_; }
    [[nodiscard]] bool is_over() const { return over_; }

  private:
    void escape(const Piece& piece);
    void sequence(const Piece& piece);
    void clear(int what);
    void go(bool home);
    void draw();

    bool drawn_ = false;
    bool blank_ = false;    // it was cleared, and nothing written since;
    bool at_home_ = false;  // the cursor is at the top
    bool anew_ = false;
    bool keeps_cursor_ = false;
    bool over_ = false;
    int newlines_ = 0;  // since it was drawn on
};

// Of a line alone: CUF, CUB, CHA, EL, DCH, ICH, ECH, HPA.
[[nodiscard]] bool edits_line(const Piece& piece);

}  // namespace vml::screen
