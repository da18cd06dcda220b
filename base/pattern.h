// A regular expression for text that a stranger wrote: matched in time that grows with the text's length
// alone and within a bounded memory (RE2). Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace re2 {
class RE2;
}  // namespace re2

namespace vml {

class Pattern {
  public:
    // RE2's syntax: Perl's without look-around and back-references. Gives what is wrong with it instead.
    [[nodiscard]] static std::variant<Pattern, std::string> compile(std::string_view expression);

    // Anywhere in the text.
    [[nodiscard]] bool is_in(std::string_view text) const;

  private:
    explicit Pattern(std::shared_ptr<const re2::RE2> compiled) : compiled_{std::move(compiled)} {}

    std::shared_ptr<const re2::RE2> compiled_;
};

}  // namespace vml
