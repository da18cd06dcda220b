#include "launcher/host/system_facts.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <string_view>

#include <sched.h>
#include <unistd.h>

#include "launcher/settings/machine_options.h"

namespace vml {

namespace {

// The number after a key of /proc/meminfo, in kB there.
std::uint64_t meminfo_mib(std::string_view key) {
    std::ifstream stream{"/proc/meminfo"};
    std::string word;
    while (stream >> word) {
        if (word == key) {
            std::uint64_t kib = 0;
            stream >> kib;
            return kib >> 10;
        }
    }
    return 0;
}

// A container's limit (cgroup 2, then 1); without one, nothing.
std::uint64_t memory_limit_mib() {
    for (const char* file : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
        std::ifstream stream{file};
        std::uint64_t bytes = 0;
        if (stream >> bytes) {
            return bytes >> 20;
        }
    }
    return std::numeric_limits<std::uint64_t>::max();
}

}  // namespace

Arch host_arch() {
#if defined(__aarch64__)
    return Arch::aarch64;
#else
    return Arch::x86_64;
#endif
}

std::uint64_t usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) {
        return 1;
    }
    return static_cast<std::uint64_t>(CPU_COUNT(&set));
}

bool in_container() {
    return ::getpid() == 1 || ::access("/.dockerenv", F_OK) == 0 || ::access("/run/.containerenv", F_OK) == 0;
}

std::string default_name() {
    std::array<char, 256> host{};
    if (!in_container() || ::gethostname(host.data(), host.size() - 1) != 0) {
        return "vm";
    }
    try {
        return parse_name(host.data());
    } catch (const ValueError&) {
        return "vm";
    }
}

std::uint64_t usable_memory_mib() {
    return std::min(meminfo_mib("MemTotal:"), memory_limit_mib());
}

}  // namespace vml
