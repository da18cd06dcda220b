#include "launcher/process/landlock.h"

#include <array>
#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"

namespace vml {

namespace {

// As in linux/landlock.h of Linux 6.12, which older headers have in part: the numbers are the kernel's for
// good.
namespace right {
constexpr std::uint64_t execute = 1U << 0U;
constexpr std::uint64_t write_file = 1U << 1U;
constexpr std::uint64_t read_file = 1U << 2U;
constexpr std::uint64_t read_folder = 1U << 3U;
constexpr std::uint64_t remove_folder = 1U << 4U;
constexpr std::uint64_t remove_file = 1U << 5U;
constexpr std::uint64_t make_file = 1U << 8U;        // a regular one
constexpr std::uint64_t of_abi_1 = (1U << 13U) - 1;  // with making and removing of each kind
constexpr std::uint64_t refer = 1U << 13U;           // ABI 2
constexpr std::uint64_t truncate = 1U << 14U;        // ABI 3
constexpr std::uint64_t ioctl = 1U << 15U;           // ABI 5, of devices
constexpr std::uint64_t of_files = execute | write_file | read_file | truncate | ioctl;
constexpr std::uint64_t bind_tcp = 1U << 0U;         // ABI 4
constexpr std::uint64_t connect_tcp = 1U << 1U;      // ABI 4
constexpr std::uint64_t abstract_socket = 1U << 0U;  // ABI 6: a scope
constexpr std::uint64_t signal = 1U << 1U;           // ABI 6: a scope
}  // namespace right

constexpr int abi_of_refer = 2;
constexpr int abi_of_truncate = 3;
constexpr int abi_of_tcp = 4;
constexpr int abi_of_ioctl = 5;
constexpr int abi_of_scopes = 6;

struct RulesetAttributes {
    std::uint64_t files = 0;
    std::uint64_t net = 0;
    std::uint64_t scoped = 0;
};

struct [[gnu::packed]] PathRule {
    std::uint64_t allowed = 0;
    std::int32_t parent = -1;
};

struct PortRule {
    std::uint64_t allowed = 0;
    std::uint64_t port = 0;
};

constexpr int path_rule = 1;
constexpr int port_rule = 2;

std::uint64_t known_file_rights(int abi) {
    return right::of_abi_1 | (abi >= abi_of_refer ? right::refer : 0) |
           (abi >= abi_of_truncate ? right::truncate : 0) | (abi >= abi_of_ioctl ? right::ioctl : 0);
}

std::uint64_t rights_for(FileUse use) {
    constexpr std::uint64_t read = right::read_file | right::read_folder;
    switch (use) {
        case FileUse::read:
            return read;
        case FileUse::run:
            return read | right::execute;
        case FileUse::device:
            return read | right::write_file | right::ioctl;
        case FileUse::change:
            return read | right::write_file | right::truncate | right::make_file | right::remove_file;
        case FileUse::prune:
            return right::remove_folder;
    }
    return 0;
}

std::uint64_t scopes_of(const Confinement& confinement) {
    return right::abstract_socket | (confinement.signals ? 0 : right::signal);
}

template <typename Rule>
bool add_rule(int ruleset, int kind, const Rule& rule) {
    return ::syscall(SYS_landlock_add_rule, ruleset, kind, &rule, 0) == 0;
}

// The kernel takes no right of folders for a file.
bool add_path(int ruleset, int path, std::uint64_t rights) {
    struct stat what {};
    if (::fstat(path, &what) != 0) {
        return false;
    }
    return add_rule(ruleset, path_rule,
                    PathRule{S_ISDIR(what.st_mode) ? rights : rights & right::of_files, path});
}

Error cannot_confine(const std::string& what) {
    return Error{{"cannot make a Landlock domain", fmt::format("{}: {}", what, errno_text(errno)),
                  "--no-landlock runs QEMU without one", ExitCode::qemu}};
}

void add_files(int ruleset, const Confinement& confinement, std::uint64_t known) {
    for (const Reach& reach : confinement.files) {
        const OwnedFd path{::open(reach.path.c_str(), O_PATH | O_CLOEXEC)};
        if (path && !add_path(ruleset, path.get(), rights_for(reach.use) & known)) {
            throw cannot_confine(reach.path.string());
        }
    }
}

void add_ports(int ruleset, const std::vector<std::uint16_t>& ports) {
    for (const std::uint16_t port : ports) {
        if (!add_rule(ruleset, port_rule, PortRule{right::bind_tcp, port})) {
            throw cannot_confine(fmt::format("TCP port {}", port));
        }
    }
}

}  // namespace

int landlock_abi() {
    constexpr unsigned version = 1;  // LANDLOCK_CREATE_RULESET_VERSION
    const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, version);
    return abi > 0 ? static_cast<int>(abi) : 0;
}

LandlockDomain landlock_domain(const Confinement& confinement) {
    const int abi = landlock_abi();
    if (abi == 0) {
        return {};
    }
    const bool limits_tcp = confinement.tcp_ports && abi >= abi_of_tcp;
    const std::uint64_t known = known_file_rights(abi);
    const RulesetAttributes attributes{known, limits_tcp ? right::bind_tcp | right::connect_tcp : 0,
                                       abi >= abi_of_scopes ? scopes_of(confinement) : 0};
    // A kernel whose attributes are fewer takes the others where they are 0.
    LandlockDomain domain{
        OwnedFd{static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0))},
        confinement.reopens ? (right::read_file | right::write_file | right::truncate) & known : 0};
    if (!domain.ruleset) {
        throw cannot_confine("landlock_create_ruleset");
    }
    add_files(domain.ruleset.get(), confinement, known);
    if (limits_tcp) {
        add_ports(domain.ruleset.get(), *confinement.tcp_ports);
    }
    return domain;
}

bool enter_landlock(int ruleset, std::uint64_t descriptors, int last) {
    const int self = ::open("/proc/self", O_PATH | O_CLOEXEC);
    if (self < 0 || !add_path(ruleset, self, rights_for(FileUse::read))) {
        return false;
    }
    ::close(self);
    // What lies in memory, a socket or a pipe takes no rule, and needs none.
    for (int fd = STDERR_FILENO + 1; descriptors != 0 && fd <= last; ++fd) {
        add_path(ruleset, fd, descriptors);
    }
    return ::syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
}

}  // namespace vml
