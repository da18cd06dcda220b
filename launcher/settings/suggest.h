// "Did you mean": the nearest of some names. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vml {

// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
[[nodiscard]] std::size_t edit_distance(std::string_view left, std::string_view right);

// The candidate nearest to the word, if one is near enough for a slip of the finger (a third of its length).
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 const std::vector<std::string>& candidates);

// A hint: the nearest, else what is said otherwise.
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& known,
                                       std::string_view otherwise);

// The variable that a variable of the environment was meant to be, if it looks like one of these with a slip:
// a letter or two, or a beginning of it. An environment is full of names that are nobody's mistake, so this
// is stricter than nearest() where a name does not begin like one of ours.
[[nodiscard]] std::optional<std::string> misspelt_variable(std::string_view name,
                                                           const std::vector<std::string>& known);

}  // namespace vml
