// Landlock domains: what a child may reach by name. Makes system calls (linux/landlock.h, landlock(7)).
#pragma once

#include <cstdint>

#include "base/fd.h"
#include "launcher/vm/confinement.h"

namespace vml {

// The version of Landlock's interface that the kernel has; 0: none, or it may not be asked.
[[nodiscard]] int landlock_abi();

// A domain that a child is to enter.
struct LandlockDomain {
    OwnedFd ruleset;  // none: the kernel has no Landlock
    std::uint64_t descriptors =
        0;  // the rights to what it was given as a descriptor and opens anew by its name
};

// Throws Error (ExitCode::qemu).
[[nodiscard]] LandlockDomain landlock_domain(const Confinement& confinement);

// Adds what the calling process alone has, its own /proc/self and, with rights to them, its descriptors up to
// `last`; then enters, for good. Nothing but system calls: for a child between fork and exec.
[[nodiscard]] bool enter_landlock(int ruleset, std::uint64_t descriptors, int last);

}  // namespace vml
