// The line that stands on the console, and where the guest's terminal has its cursor. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace vml::boot {

// A line ends where the cursor goes to another row, and where it is written anew from its beginning. The
// cursor may go to and fro within it: SeaBIOS's serial console and GRUB put the cursor where it is, or a
// column back and there again, and what is written inside takes the place of what stood there.
//
// Columns and rows count from 1. The row is known from cursor positions and counted on from there; a newline
// on the last row scrolls, and how many rows there are is not known.
class ConsoleLine {
  public:
    using Lines = std::vector<std::string>;

    static constexpr std::size_t longest = 4096;  // bytes; what is longer comes in pieces
    static constexpr int most = 9999;             // rows and columns

    [[nodiscard]] const std::string& text() const { return text_; }

    void put(char c, Lines& ended);
    void backspace();  // takes back what stands before the cursor, at the line's end
    void carriage_return(Lines& ended);
    void newline(Lines& ended);
    // A control sequence with its first two numbers, 0 where it has none (ECMA-48, 8.3).
    void control(char final, int first, int second, Lines& ended);

  private:
    void end(Lines& ended);
    void place(int column);
    void go(int column);
    void go_right(int columns);
    void go_to(int row, int column, Lines& ended);
    void go_down(int rows);
    void erase_right(Lines& ended);
    void settle(Lines& ended);
    void insert(char c);

    std::string text_;
    std::size_t at_ = 0;      // of the text's bytes: where the cursor is, unless it was moved
    bool moved_ = false;      // the cursor's column alone tells where it is
    bool written_ = false;    // since the last newline
    int column_ = 1;          // the cursor's
    int start_ = 1;           // the text's first column
    int end_ = 1;             // behind its last one
    int lowest_row_ = 1;      // the cursor's row is not less
    int highest_row_ = most;  // and not more
};

}  // namespace vml::boot
