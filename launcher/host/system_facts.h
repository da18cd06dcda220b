// What the machine or the container that vm-launch runs in has. Reads only.
#pragma once

#include <cstdint>
#include <string>

#include "launcher/settings/settings.h"

namespace vml {

[[nodiscard]] Arch host_arch();
[[nodiscard]] bool in_container();
// CPUs that this process may use.
[[nodiscard]] std::uint64_t usable_cpus();
// What there is, a container's limit respected.
[[nodiscard]] std::uint64_t usable_memory_mib();
// The container's host name, if in one.
[[nodiscard]] std::string default_name();

}  // namespace vml
