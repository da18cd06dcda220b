// Words and lists of people's. Pure.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vml {

[[nodiscard]] std::string lower(std::string_view text);

// Without the blanks and newlines at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

// With control characters as a C string writes them ("\\r", "\\x1b"), but for those in `kept`: what stands in
// a message must be seen, and must not command the terminal.
[[nodiscard]] std::string visible(std::string_view text, std::string_view kept = {});

// The same of bytes that somebody else made, who may mean harm: always UTF-8, with what is none as "\\xff",
// and without the C1 controls either, which some terminals obey.
[[nodiscard]] std::string printable(std::string_view text);

// "a, b,,c," → a, b and c: empty parts cannot mean anything.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);

// "a, b or c".
[[nodiscard]] std::string listed(const std::vector<std::string>& names, std::string_view conjunction = "or");

// The whole of the text as a number, if it is one that fits: no sign in front of an unsigned one, no blanks.
template <std::integral Number>
[[nodiscard]] std::optional<Number> whole_number(std::string_view text, int base = 10) {
    Number number{};
    // NOLINTNEXTLINE(cppcoreguidelines-pro-bounds-pointer-arithmetic): from_chars takes a range so
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number, base);
    return error == std::errc{} && end == last ? std::optional{number} : std::nullopt;
}

// The number that the text begins with.
template <std::integral Number>
[[nodiscard]] std::optional<Number> leading_number(std::string_view text, int base = 10) {
    Number number{};
    // NOLINTNEXTLINE(cppcoreguidelines-pro-bounds-pointer-arithmetic): from_chars takes a range so
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return error == std::errc{} ? std::optional{number} : std::nullopt;
}

}  // namespace vml
