#include "launcher/vm/memory_need.h"

#include <algorithm>

namespace vml {

std::uint64_t translation_buffer_mib(std::uint64_t limit_mib) {
    constexpr std::uint64_t share = 8;
    constexpr std::uint64_t least = 32;
    constexpr std::uint64_t most = 1024;  // QEMU's own default at most (tcg/region.c)
    return std::clamp(limit_mib / share, least, most);
}

std::uint64_t own_need_mib(const MemoryNeed& need, std::uint64_t guest_mib) {
    return base_need_mib + need.cpus * need_per_cpu_mib + need.translation_mib +
           guest_mib / guest_per_table_mib;
}

std::uint64_t largest_guest_mib(const MemoryNeed& need, std::uint64_t whole_mib) {
    const std::uint64_t fixed = own_need_mib(need, 0);
    return whole_mib <= fixed ? 0 : (whole_mib - fixed) * guest_per_table_mib / (guest_per_table_mib + 1);
}

}  // namespace vml
