// Words for a shell to read back. Pure.
#pragma once

#include <string>
#include <string_view>

namespace vml {

// One word, quoted for a POSIX shell where it needs to be.
[[nodiscard]] std::string shell_quoted(std::string_view word);

}  // namespace vml
