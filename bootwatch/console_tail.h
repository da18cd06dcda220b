// The console's latest lines, as a report shows them. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vml::boot {

class ConsoleTail {
  public:
    // About a screen; of a line so many bytes are kept, which is more than a terminal is wide.
    static constexpr std::size_t most_lines = 40;
    static constexpr std::size_t longest_line = 240;

    // A whole line; blank ones do not count.
    void line(std::string_view text);
    // What stands behind the last whole line: a prompt.
    void partial(std::string_view text);

    // The oldest first, with what no newline has followed yet at the end: `most_lines` in all.
    [[nodiscard]] std::vector<std::string> lines() const;
    // So many at most: the latest.
    void keep(std::size_t most);

    bool operator==(const ConsoleTail&) const = default;

  private:
    std::vector<std::string> lines_{};
    std::string partial_{};
};

}  // namespace vml::boot
