// Words for others to read back: a shell, QEMU's option lists. Pure.
#pragma once

#include <string>
#include <string_view>

namespace vml {

// One word, quoted for a POSIX shell where it needs to be.
[[nodiscard]] std::string shell_quoted(std::string_view word);

// A value of QEMU's key=value lists: a comma is doubled (QEMU util/qemu-option.c, get_opt_value).
[[nodiscard]] std::string comma_doubled(std::string_view value);

}  // namespace vml
