#include "launcher/process/lock_down.h"

#include <cerrno>

#include <cap-ng.h>
#include <sys/prctl.h>

#include "base/error.h"
#include "launcher/process/landlock.h"
#include "launcher/process/seccomp_filter.h"

namespace vml {

namespace {

Error cannot_give_up(const std::string& why) {
    return Error{{"cannot give up privileges", why, "", ExitCode::failed}};
}

// libcap-ng keeps what was chosen while the user changes.
bool apply_chosen(const std::optional<RunUser>& user, bool can_bound) {
    if (!user) {
        return capng_apply(can_bound ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) == 0;
    }
    const auto flags =
        static_cast<capng_flags_t>(CAPNG_DROP_SUPP_GRP | (can_bound ? CAPNG_CLEAR_BOUNDING : CAPNG_NO_FLAG));
    return capng_change_id(static_cast<int>(user->uid), static_cast<int>(user->gid), flags) == 0;
}

void give_up_privileges(const OwnRights& rights) {
    capng_get_caps_process();
    const bool net_admin = rights.net_admin && capng_have_capability(CAPNG_PERMITTED, CAP_NET_ADMIN) == 1;
    // The bounding set needs CAP_SETPCAP, which a container's root may lack; no_new_privs serves there.
    const bool can_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) == 1;
    capng_clear(CAPNG_SELECT_ALL);
    if (net_admin) {
        capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED), CAP_NET_ADMIN);
    }
    // QEMU is the same user, and must not trace this process (ptrace(2)).
    if (!apply_chosen(rights.user, can_bound) || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        throw cannot_give_up(errno_text(errno));
    }
}

void confine(const Confinement& reach) {
    try {
        const LandlockDomain domain = landlock_domain(reach);
        if (domain.ruleset && !enter_landlock(domain.ruleset.get(), 0, -1)) {
            throw cannot_give_up("landlock_restrict_self: " + errno_text(errno));
        }
    } catch (const Error& error) {
        throw cannot_give_up(error.faults().front().why);
    }
}

}  // namespace

void give_up_rights(const OwnRights& rights) {
    give_up_privileges(rights);
    confine(rights.reach);
}

void lock_down(const OwnRights& rights) {
    give_up_rights(rights);
    enter_seccomp();
}

}  // namespace vml
