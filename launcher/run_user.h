// The user that QEMU runs as. Makes system calls.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace vml {

// Whose rights a process has.
struct RunUser {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;  // supplementary: the one that may use /dev/kvm, if QEMU needs it

    bool operator==(const RunUser&) const = default;
};

struct RunUserFacts {
    bool can_change = false;      // vm-launch runs as root, so QEMU can run as somebody else
    std::optional<RunUser> user;  // who QEMU runs as; none: as vm-launch itself, or there is no such user
    std::string own_name;         // vm-launch's user

    bool operator==(const RunUserFacts&) const = default;
};

// Root hands QEMU to the wanted user, or without one to the first of libvirt-qemu, qemu and nobody that
// exists.
[[nodiscard]] RunUserFacts look_for_run_user(const std::optional<std::string>& wanted);

struct AccessQuestion {
    std::filesystem::path path;
    int flags = 0;  // as for open(2)
};
// For each question the errno of opening the path with this user's rights; 0: it opens. Asked in a thread of
// its own, whose rights alone are changed.
[[nodiscard]] std::vector<int> open_errors_as(const RunUser& user,
                                              const std::vector<AccessQuestion>& questions);

}  // namespace vml
