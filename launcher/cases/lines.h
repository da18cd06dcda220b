// Bytes of another process → its lines. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace vml::cases {

class Lines {
  public:
    // A longer line goes on in the next one.
    explicit Lines(std::size_t longest) : longest_{longest} {}

    // Each line that is whole now, without its end.
    void feed(std::string_view bytes, const std::function<void(std::string_view)>& on_line);
    // What had no end.
    void finish(const std::function<void(std::string_view)>& on_line);

  private:
    std::size_t longest_;
    std::string begun_;
};

// What of a line has room in so many columns of a terminal. A character of three bytes or more counts as
// wide, as those of CJK and most pictures are: rather too little is shown than a line that goes on in the
// next.
[[nodiscard]] std::string cut_to_columns(std::string_view line, std::size_t columns);

// The last of a text, from a line's beginning.
class Tail {
  public:
    explicit Tail(std::size_t most) : most_{most} {}

    void add(std::string_view line);
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    std::size_t most_;
    std::string text_;
};

}  // namespace vml::cases
