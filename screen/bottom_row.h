// A row of others' below the text of a guest, on a terminal: what has to go there. Pure.
#pragma once

#include <string>
#include <string_view>

#include "screen/drawn_screen.h"
#include "screen/escape_parser.h"
#include "screen/line_cursor.h"

namespace vml::screen {

// Smaller terminals have no room for one.
inline constexpr int fewest_columns = 40;
inline constexpr int fewest_rows = 6;

// The row stands on the line below the cursor's, as text that nothing protects: no margins are set, so there
// is nothing that a stop, a crash or another program would have to take back. It is wiped, with what the
// terminal has below the cursor, before anything is passed on that leaves the cursor's line, and drawn again
// behind that. What stays in its line, an echo or a counter, goes by untouched.
//
// It is drawn only where it is certain that the cursor comes back to its place: between whole characters and
// sequences, short of the last column, and where text flows, so that nothing of the guest's is below. It
// gives way to a guest that draws.
class BottomRow {
  public:
    BottomRow(int columns, int rows) : columns_{columns}, rows_{rows}, cursor_{columns} {}

    // What others write to the terminal → what goes there.
    [[nodiscard]] std::string pass(std::string_view bytes);
    // The row says this from now on: at most one column less than the terminal has, with attributes that it
    // puts back. To be called time and again: a row comes back some calls after a guest that drew.
    [[nodiscard]] std::string show(std::string text);
    // There is no row until show() is called.
    [[nodiscard]] std::string hide();
    // The terminal's size, before anything is written that counts on it.
    [[nodiscard]] std::string resize(int columns, int rows);

    [[nodiscard]] bool is_shown() const { return shown_; }
    // It does not come back (DrawnScreen).
    [[nodiscard]] bool is_over() const { return screen_.is_over(); }

    static constexpr int calls_after_drawing = 3;

  private:
    void take(const Piece& piece);
    void wipe();
    [[nodiscard]] bool may_draw() const;
    void draw();

    int columns_;
    int rows_;
    EscapeParser parser_;
    LineCursor cursor_;
    DrawnScreen screen_;
    std::string out_;
    std::string text_;
    int calls_until_ = 0;  // the row may come back
    bool shown_ = false;
    bool is_old_ = false;  // what is drawn says something else
};

}  // namespace vml::screen
