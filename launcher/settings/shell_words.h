// A command line's words as a shell would split them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vml {

// Nothing is expanded; throws ValueError where a quote is not closed.
[[nodiscard]] std::vector<std::string> parse_shell_words(std::string_view text);

}  // namespace vml
