// Which VM may start next. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vml::cases {

// What a VM takes while it runs.
struct Load {
    std::uint64_t memory_mib = 0;
    std::uint64_t cpus = 1;
    // What two VMs cannot have at a time: MAC addresses of NICs, ports of the host, images that are written.
    std::vector<std::string> alone{};
};

struct Capacity {
    std::size_t jobs = 1;  // VMs at a time
    std::uint64_t memory_mib = 0;
    std::uint64_t cpus = 1;
};

// The first that waits and fits beside those that run; where none runs the first one, whatever it takes: what
// is too large by itself its own vm-launch tells.
[[nodiscard]] std::optional<std::size_t> next_to_start(const std::vector<Load>& waiting,
                                                       const std::vector<Load>& running,
                                                       const Capacity& capacity);

}  // namespace vml::cases
