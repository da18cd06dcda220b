// One vm-launch run of a test, as a child. Makes system calls.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "base/fd.h"
#include "launcher/settings/environment.h"

namespace vml {

// The descriptor at which it writes its events.
inline constexpr int events_descriptor = 3;

struct CellProcess {
    pid_t pid = -1;
    OwnedFd events;   // what it writes comes here, without waiting (O_NONBLOCK): its events,
    OwnedFd console;  // its standard output, which is the guest's console,
    OwnedFd log;      // and its standard error
};

// This program anew, in that process group, with these variables and no standard input. The caller reaps it.
// Throws Error.
[[nodiscard]] CellProcess start_cell(const std::vector<std::string>& arguments,
                                     const Environment& environment, pid_t group);

}  // namespace vml
