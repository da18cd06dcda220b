// What of the environment QEMU and its helpers get. Pure.
#pragma once

#include <string>
#include <vector>

namespace vml {

// Of `all` ("NAME=value", ended by a null pointer, as environ(7)): where programs and temporary files are,
// language and time zone, what a display or sound that was asked for needs, and QEMU's own variables. The
// rest stays with vm-launch: whoever shares QEMU's user may read it in /proc.
[[nodiscard]] std::vector<std::string> child_environment(const char* const* all);

}  // namespace vml
