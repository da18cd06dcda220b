// What vm-launch itself may still do once everything is set up. Makes system calls.
#pragma once

namespace vml {

// Gives up every capability but CAP_KILL (QEMU runs as another user and must be killable) and, where links
// outlive their descriptors, CAP_NET_ADMIN, and everything that exec could give. Throws Error.
void drop_privileges(bool keep_net_admin);

}  // namespace vml
