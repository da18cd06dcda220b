// How much memory QEMU takes beside the guest's own, and what that leaves for the guest. Pure.
#pragma once

#include <cstdint>

namespace vml {

// Measured on QEMU 7.2 (Debian 12), q35, 2 and 8 CPUs, a Linux boot by -kernel with a 40 MiB initrd, from
// /proc/PID/smaps: beside the guest's memory 95 to 98 MiB are resident, the initrd's copy among them and no
// different with 256 or 1024 MiB of guest memory; of TCG's translation buffer as much as was translated, 26
// to 40 MiB, and never more than -accel tcg,tb-size= allows (tcg/region.c; by default the lesser of 1 GiB and
// an eighth of the host's memory). A screen adds up to 16 MiB of VGA memory. The rest is a margin for
// vm-launch itself, swtpm and what the control group counts beside: kernel stacks, sockets, the tables of the
// guest's pages (1/512 of them, twice under KVM).
inline constexpr std::uint64_t base_need_mib = 128;
inline constexpr std::uint64_t need_per_cpu_mib = 2;
inline constexpr std::uint64_t guest_per_table_mib = 256;  // one MiB of tables for so many of guest memory

// The translation buffer that fits a control group's limit: an eighth, as QEMU takes of a host's memory, but
// no less than what a boot needs without being translated again and again.
[[nodiscard]] std::uint64_t translation_buffer_mib(std::uint64_t limit_mib);

struct MemoryNeed {
    std::uint64_t cpus = 1;
    std::uint64_t translation_mib = 0;  // 0 under KVM
};
// MiB beside a guest of this size.
[[nodiscard]] std::uint64_t own_need_mib(const MemoryNeed& need, std::uint64_t guest_mib);
// The largest guest for which there is room; 0: none.
[[nodiscard]] std::uint64_t largest_guest_mib(const MemoryNeed& need, std::uint64_t whole_mib);

}  // namespace vml
