// Words of the command line that are no flags: things to boot. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vml {

// The setting that a word among the arguments stands for, if it is something to boot.
[[nodiscard]] std::optional<std::string_view> setting_of_word(const std::string& word);

// What was meant by one that stands for nothing. `before` is the argument in front of it, or empty.
[[nodiscard]] std::string hint_for_word(const std::string& word, std::string_view before);

}  // namespace vml
