// How help texts are set: for a terminal of 100 columns. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vml {

inline constexpr std::size_t help_width = 100;
inline constexpr std::size_t help_column = 24;  // where the right-hand side begins

// "  LEFT        right, over as many lines as it takes".
[[nodiscard]] std::string help_entry(const std::string& left, const std::string& right);
// Broken into lines, without an end of line.
[[nodiscard]] std::string paragraph(std::string_view text);
// With a capital letter and a full stop.
[[nodiscard]] std::string sentence(std::string_view text);
// Without backquotes and links.
[[nodiscard]] std::string without_markdown(std::string_view text);

}  // namespace vml
