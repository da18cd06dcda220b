// Serial console bytes → lines of plain text, without terminal control. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "bootwatch/console_line.h"

namespace vml::boot {

// Firmware and iPXE draw with ANSI sequences (ECMA-48) and carriage returns. This keeps the text: an escape
// sequence is dropped; a move to another row or a carriage return without a newline ends the line, a move
// within the row does not (console_line.h).
class ConsoleText {
  public:
    // Lines that became whole, in order. A line longer than `longest_line` bytes is cut into pieces.
    std::vector<std::string> feed(std::string_view bytes);

    // What stands after the last whole line.
    [[nodiscard]] const std::string& partial() const { return line_.text(); }

    static constexpr std::size_t longest_line = ConsoleLine::longest;

  private:
    enum class Mode { text, escape, control_sequence, string, string_escape };

    void take(char c, std::vector<std::string>& lines);
    void take_escape(char c, std::vector<std::string>& lines);
    void take_control(char c, std::vector<std::string>& lines);
    void take_text(char c, std::vector<std::string>& lines);

    Mode mode_ = Mode::text;
    ConsoleLine line_;
    std::array<int, 2> numbers_{};  // of the control sequence that is being read
    std::size_t number_ = 0;        // which of them
    bool private_ = false;          // it is none of ECMA-48's own
};

}  // namespace vml::boot
