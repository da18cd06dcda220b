// What a test shows while it runs: a line for each VM that has ended, and on a terminal, below them, a line
// for each that runs. Makes system calls.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace vml {

class Display {
  public:
    // A terminal that obeys no control sequences (TERM=dumb) gets the lines alone.
    Display(std::FILE* stream, bool obeys);

    // What stays; whole lines.
    void say(std::string_view text);
    // In place of what was shown so before; each is cut to the terminal's width.
    void show(const std::vector<std::string>& lines);

    [[nodiscard]] bool is_live() const { return live_; }

  private:
    [[nodiscard]] std::string erased();
    void write(std::string_view text);

    std::FILE* stream_;
    bool live_;
    bool broken_ = false;  // nobody reads it any more
    std::vector<std::string> shown_;
};

}  // namespace vml
