// Serial console bytes → lines of plain text, without terminal control. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vml::boot {

// Firmware and iPXE draw with ANSI sequences (ECMA-48) and carriage returns. This keeps the text: an escape
// sequence is dropped, a cursor movement or a carriage return without a newline ends the line.
class ConsoleText {
  public:
    // Lines that became whole, in order. A line longer than `longest_line` bytes is cut into pieces.
    std::vector<std::string> feed(std::string_view bytes);

    // What stands after the last whole line.
    [[nodiscard]] const std::string& partial() const { return line_; }

    static constexpr std::size_t longest_line = 4096;

  private:
    enum class Mode { text, escape, control_sequence, string, string_escape };

    void end_line(std::vector<std::string>& lines);
    void take(char c, std::vector<std::string>& lines);
    void take_escape(char c);
    void take_text(char c, std::vector<std::string>& lines);

    Mode mode_ = Mode::text;
    std::string line_;
};

}  // namespace vml::boot
