// The keeper's own process (file_keeper.h). Makes system calls.
#pragma once

#include "launcher/keeper/file_keeper.h"
#include "launcher/keeper/vm_files.h"

namespace vml {

// Answers what comes over the socket until its other end closes, then takes away what is to go. In a process
// of its own, straight after fork: it closes every other descriptor, and ends the process.
[[noreturn]] void keep(int socket, OpenFiles files, Leavings leavings);

}  // namespace vml
