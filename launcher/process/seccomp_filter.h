// The filter of vm-launch's own system calls. Makes system calls (seccomp(2)).
#pragma once

namespace vml {

// From now on every system call that is not on the list (allowed_calls.h) ends this process, and all that it
// starts, with a message that names the call. For good, and where the kernel has filters. no_new_privs must
// be set. Throws Error.
void enter_seccomp();

}  // namespace vml
