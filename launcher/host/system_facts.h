// What the machine or the container that vm-launch runs in has. Reads only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "launcher/settings/settings.h"

namespace vml {

[[nodiscard]] Arch host_arch();
// As uname -r has it: "6.12.38+deb13-amd64"; empty where /proc does not tell.
[[nodiscard]] std::string kernel_version();
[[nodiscard]] bool in_container();
// CPUs that this process may use.
[[nodiscard]] std::uint64_t usable_cpus();
[[nodiscard]] std::uint64_t host_memory_mib();
// That new processes can have without any that runs giving way (proc(5), MemAvailable), a container's limit
// respected.
[[nodiscard]] std::uint64_t free_memory_mib();
// That the control group sets, where it sets one.
[[nodiscard]] std::optional<std::uint64_t> memory_limit_mib();
// errno of asking for so much at once, as QEMU does for a guest; 0: the kernel promises it.
[[nodiscard]] int memory_obstacle(std::uint64_t mib);
// Of the installation (machine-id(5)), else of the machine, which root alone may read; empty where there is
// neither.
[[nodiscard]] std::string machine_id();
[[nodiscard]] std::string host_id(std::string_view machine_id, std::string_view product_uuid);
// Docker and Podman name a container after the beginning of its ID, twelve hexadecimal digits, unless
// somebody names it: such a name is another one with each new container.
[[nodiscard]] bool is_random_name(std::string_view name);
[[nodiscard]] bool has_random_name();
// The container's host name, if in one.
[[nodiscard]] std::string default_name();

}  // namespace vml
