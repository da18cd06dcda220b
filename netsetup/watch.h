// Changes of links, as they happen.
#pragma once

#include <memory>
#include <vector>

#include "base/fd.h"
#include "netsetup/netlink.h"
#include "netsetup/watched_links.h"

namespace vml::net {

// Listens to RTNLGRP_LINK in the network namespace in which it was made. For an event loop: when fd() is
// readable, call read().
class LinkWatcher {
  public:
    // Subscribes, then reads how the links are now: nothing that happens later is missed. Throws Error.
    explicit LinkWatcher(const std::vector<int>& indexes);

    [[nodiscard]] int fd() const noexcept { return nl_socket_get_fd(events_.get()); }

    // A watched link as it was last seen; null when it is gone or was never there.
    [[nodiscard]] const Link* link(int index) const { return links_.find(index); }

    // What happened to the watched links since the last call. Never waits. When the kernel had to drop
    // messages (ENOBUFS) the links are read anew, and the difference is told: the last state is always right,
    // states in between may be missing.
    [[nodiscard]] std::vector<LinkEvent> read();

  private:
    struct FreeSocket {
        void operator()(nl_sock* socket) const noexcept { nl_socket_free(socket); }
    };

    void read_anew(std::vector<LinkEvent>& events);

    std::unique_ptr<nl_sock, FreeSocket> events_;
    NetlinkSocket questions_;  // for reading anew, in the same namespace
    WatchedLinks links_;
};

}  // namespace vml::net
