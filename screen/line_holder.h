// A log's text as whole lines, for an output where others' lines are put between them. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vml::screen {

// Whoever reads two pipes into one log (a container's runtime, a service manager) sees only the order in
// which bytes come: the beginning of a line is followed there by whatever comes next. So it is held until the
// line's end.
class LineHolder {
  public:
    // What may be written now: whole lines, and a line that grows beyond `longest`.
    [[nodiscard]] std::string feed(std::string_view text);
    // What is held: the line is not waited for any more.
    [[nodiscard]] std::string release();

    [[nodiscard]] bool holds() const { return !held_.empty(); }
    // What was given out last ends in the middle of a line.
    [[nodiscard]] bool mid_line() const { return mid_line_; }

    static constexpr std::size_t longest = 4096;

  private:
    [[nodiscard]] std::string given(std::string text);

    std::string held_;
    bool mid_line_ = false;
};

// How much of `text`, which is not empty, is written at once where `most` bytes go as one: as many whole
// lines as fit, or else as many bytes.
[[nodiscard]] std::size_t whole_lines(std::string_view text, std::size_t most);

}  // namespace vml::screen
