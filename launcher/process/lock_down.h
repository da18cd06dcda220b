// What vm-launch itself may still do once the guest runs. Makes system calls.
#pragma once

#include <optional>

#include "launcher/vm/confinement.h"
#include "launcher/vm/facts.h"

namespace vml {

struct OwnRights {
    std::optional<RunUser> user;  // whom it becomes; none: it stays who it is
    bool net_admin = false;       // links must be deleted at the end: CAP_NET_ADMIN stays
    Confinement reach;            // what it still opens by name
};

// Gives up for good every capability but that one, everything that exec could give, what others could read
// and trace of this process, all files but these (Landlock, where the kernel has it), and every system call
// that is not needed (seccomp_filter.h). Throws Error.
void lock_down(const OwnRights& rights);

// The same without a limit to its system calls: for what runs no VM. Throws Error.
void give_up_rights(const OwnRights& rights);

}  // namespace vml
