#include "launcher/host/system_facts.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <string_view>

#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/file.h"
#include "base/text.h"
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

std::string kernel_version() {
    return std::string{trimmed(read_file("/proc/sys/kernel/osrelease").value_or(""))};
}

std::uint64_t host_memory_mib() {
    return meminfo_mib("MemTotal:");
}

std::optional<std::uint64_t> memory_limit_mib() {
    const std::optional<std::uint64_t> bytes = memory_limit();
    return bytes ? std::optional{*bytes >> 20} : std::nullopt;
}

std::uint64_t free_memory_mib() {
    const std::uint64_t available = meminfo_mib("MemAvailable:");
    return std::min(available, memory_limit_mib().value_or(available));
}

int memory_obstacle(std::uint64_t mib) {
    const std::size_t bytes = static_cast<std::size_t>(mib) << 20U;
    // As QEMU maps a guest's memory (util/mmap-alloc.c, mmap_activate).
    void* const promised = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (promised == MAP_FAILED) {  // NOLINT(performance-no-int-to-ptr,cppcoreguidelines-pro-type-cstyle-cast)
        return errno;
    }
    ::munmap(promised, bytes);
    return 0;
}

bool is_random_name(std::string_view name) {
    constexpr std::size_t id_digits = 12;
    return name.size() == id_digits && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool has_random_name() {
    return in_container() && is_random_name(default_name());
}

std::string host_id(std::string_view machine_id, std::string_view product_uuid) {
    constexpr std::string_view uninitialized = "uninitialized";  // machine-id(5), before the first boot
    // What boards have whose maker gave them none.
    constexpr auto placeholders = std::to_array<std::string_view>(
        {"03000200-0400-0500-0006-000700080009", "00020003-0004-0005-0006-000700080009",
         "12345678-1234-5678-90ab-cddeefaabbcc", "4c4c4544-0000-2010-8020-80c04f202020"});
    const std::string_view installed = trimmed(machine_id);
    if (!installed.empty() && installed != uninitialized &&
        installed.find_first_not_of('0') != std::string_view::npos) {
        return std::string{installed};
    }
    std::string product = lower(trimmed(product_uuid));
    const bool says_nothing =
        product.find_first_not_of("0-") == std::string::npos ||
        product.find_first_not_of("f-") == std::string::npos ||
        std::find(placeholders.begin(), placeholders.end(), product) != placeholders.end();
    return says_nothing ? "" : product;
}

std::string machine_id() {
    return host_id(read_file("/etc/machine-id").value_or(""),
                   read_file("/sys/class/dmi/id/product_uuid").value_or(""));
}

}  // namespace vml
