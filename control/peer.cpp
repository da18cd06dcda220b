#include "control/peer.h"

#include <sys/socket.h>

namespace vml::control {

std::optional<Peer> peer_of(int socket) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return std::nullopt;
    }
    return Peer{credentials.pid, credentials.uid};
}

bool may_command(const Peer& peer, uid_t owner) {
    return peer.pid != 0 && (peer.uid == 0 || peer.uid == owner);
}

}  // namespace vml::control
