// The step "apply": a plan → a QEMU that is running, paused. Makes system calls.
#pragma once

#include <sys/types.h>

#include "base/fd.h"
#include "launcher/plan.h"

namespace vml {

// QEMU and vm-launch's ends of what leads to it.
struct RunningVm {
    pid_t pid = -1;  // the event loop reaps it
    OwnedFd qmp;
    OwnedFd console;
    OwnedFd output;  // read end of QEMU's standard output and error
};

// Opens what the plan's descriptors stand for and starts QEMU. Nothing has a name in the file system, so that
// nothing is left behind whatever happens. Throws Error; then nothing runs.
[[nodiscard]] RunningVm apply(const Plan& plan);

}  // namespace vml
