// The control groups that hold this process, as far as they bound its memory. Reads only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace vml {

// From the process's own group up to the root, of version 2 and of version 1's memory controller; from the
// text of /proc/self/cgroup (cgroups(7)). In a container without a cgroup namespace the lower ones may not be
// there. Pure.
[[nodiscard]] std::vector<std::filesystem::path> memory_groups(std::string_view proc_self_cgroup,
                                                               const std::filesystem::path& root);

// Bytes: the lowest of memory.max (version 2) and memory.limit_in_bytes (version 1); nothing where there is
// no limit.
[[nodiscard]] std::optional<std::uint64_t> memory_limit();
[[nodiscard]] std::optional<std::uint64_t> memory_limit_of(const std::vector<std::filesystem::path>& groups);

// How many processes of our group the kernel has killed for want of memory: oom_kill of memory.events
// (version 2) and of memory.oom_control (version 1, Linux 4.13).
[[nodiscard]] std::uint64_t out_of_memory_kills();
[[nodiscard]] std::uint64_t out_of_memory_kills_of(const std::vector<std::filesystem::path>& groups);

}  // namespace vml
