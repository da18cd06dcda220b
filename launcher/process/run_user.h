// The user that QEMU runs as. Makes system calls.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "launcher/vm/facts.h"

namespace vml {

// The uids, and gids, of which every VM gets one for itself: what systemd gives to services that run
// (DynamicUser=; docs/UIDS-GIDS.md in its source), so that no distribution and no site should have users
// there.
inline constexpr uid_t first_own_uid = 61184;
inline constexpr uid_t last_own_uid = 65519;

// Whether this process may become one of these, which are not mapped in every user namespace.
[[nodiscard]] bool may_have_own_user();

// Does a map as in /proc/PID/uid_map (user_namespaces(7)) have all of these?
[[nodiscard]] bool maps_own_users(const std::string& map);

// The one that a VM of this name has, if it is free: another one in each container, whose processes the
// kernel may count together.
[[nodiscard]] uid_t preferred_uid(const std::string& vm_name);
[[nodiscard]] RunUser own_user(uid_t uid);

// Does /etc/passwd or /etc/group, whose text this is, give the number to somebody?
[[nodiscard]] bool is_assigned(uid_t uid, const std::string& table);

// Asks all sources of users (nsswitch.conf(5)) for the one of a name or number: a line as in passwd(5), or
// nothing.
using AskForUser = std::function<std::string(const std::string& key)>;

// Root hands QEMU to the wanted user, or without one to the VM's own; where it may not have one to the first
// of libvirt-qemu, qemu and nobody that exists. `own` is the one that the VM has, or would have.
// Where a user is wanted, `ask` is asked for it, and for this process's own, if it does not stand in
// /etc/passwd.
[[nodiscard]] RunUserFacts look_for_run_user(const std::optional<std::string>& wanted,
                                             const std::optional<RunUser>& own, const AskForUser& ask);

struct AccessQuestion {
    std::filesystem::path path;
    int flags = 0;  // as for open(2)
};
// For each question the errno of opening the path with this user's rights; 0: it opens. Asked in a thread of
// its own, whose rights alone are changed.
[[nodiscard]] std::vector<int> open_errors_as(const RunUser& user,
                                              const std::vector<AccessQuestion>& questions);

}  // namespace vml
