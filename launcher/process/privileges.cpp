#include "launcher/process/privileges.h"

#include <cerrno>

#include <cap-ng.h>
#include <sys/prctl.h>

#include "base/error.h"

namespace vml {

void drop_privileges(bool keep_net_admin) {
    capng_get_caps_process();
    const bool kill = capng_have_capability(CAPNG_PERMITTED, CAP_KILL) == 1;
    const bool net_admin = keep_net_admin && capng_have_capability(CAPNG_PERMITTED, CAP_NET_ADMIN) == 1;
    const bool can_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) == 1;
    capng_clear(CAPNG_SELECT_ALL);
    constexpr auto both = static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED);
    if (kill) {
        capng_update(CAPNG_ADD, both, CAP_KILL);
    }
    if (net_admin) {
        capng_update(CAPNG_ADD, both, CAP_NET_ADMIN);
    }
    // The bounding set needs CAP_SETPCAP, which a container's root may lack; no_new_privs serves there.
    if (capng_apply(can_bound ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) != 0 ||
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        throw Error{{"cannot give up privileges", errno_text(errno), "", ExitCode::failed}};
    }
}

}  // namespace vml
