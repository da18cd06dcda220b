// Who is at the other end of a Unix socket (SO_PEERCRED, unix(7)), and in which PID namespace (NSpid,
// proc(5)). Makes system calls.
#pragma once

#include <optional>

#include <sys/types.h>

namespace vml::control {

struct Peer {
    pid_t pid = 0;  // 0: it lives in another PID namespace, so in another container or outside ours
    uid_t uid = 0;
    bool deeper = false;  // it lives in a PID namespace within ours: a container's, or it is not to be found
};

[[nodiscard]] std::optional<Peer> peer_of(int socket);

// May this peer command a VM of `owner`'s? Root and the owner may, from inside our own container.
[[nodiscard]] bool may_command(const Peer& peer, uid_t owner);

}  // namespace vml::control
