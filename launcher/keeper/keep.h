// The keeper's own process (file_keeper.h). Makes system calls.
#pragma once

#include "launcher/keeper/file_keeper.h"
#include "launcher/keeper/vm_files.h"

namespace vml {

// The ends of what leads to the keeper's VM.
struct KeptFor {
    int socket = -1;
    int process = -1;  // a descriptor of the VM's vm-launch (pidfd_open(2)); -1: the kernel has none
};

// Answers what comes over the socket until its other end closes, then takes away what is to go. In a process
// of its own, straight after fork: it closes every other descriptor, and ends the process.
[[noreturn]] void keep(const KeptFor& vm, OpenFiles files, Leavings leavings);

}  // namespace vml
