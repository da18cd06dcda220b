// Where a terminal's cursor is in its line, and where that line's text ends. Pure.
#pragma once

#include <string_view>

namespace vml::screen {

class LineTrack {
  public:
    void text(std::string_view characters);
    void control(char c);
    void new_line() { *this = {}; }
    // The cursor was put somewhere: what stands there is not known.
    void lost();

    [[nodiscard]] bool has_text() const { return end_ > 0; }
    [[nodiscard]] bool at_margin() const { return column_ == 0; }

  private:
    void space();

    int column_ = 0;
    int end_ = 0;         // behind the last character that is no blank
    int blank_from_ = 0;  // where the blanks begin that were written last
};

}  // namespace vml::screen
