// A word among the arguments that is no flag: something to boot, or what was meant by it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vml {

// The setting that a word stands for, if it is something to boot: "boot.ipxe", "./netboot", a URL.
[[nodiscard]] std::optional<std::string_view> setting_of_word(const std::string& word);
// Does it name a file of test cases, in TOML or JSON?
[[nodiscard]] bool is_test_file(std::string_view word);
// What else it may have been meant for. `before` is the argument in front of it, or empty.
[[nodiscard]] std::string hint_for_word(const std::string& word, std::string_view before);

}  // namespace vml
