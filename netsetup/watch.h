// Changes of links, as they happen.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "netsetup/links.h"
#include "netsetup/netlink.h"

namespace vml::net {

struct LinkEvent {
    enum class Kind {
        deleted,     // gone from this network namespace (an open macvtap queue itself never says so)
        carrier,     // link.carrier changed
        port_state,  // link.port_state changed: listening, learning, forwarding, …; empty when it is no port
                     // any more
    };
    Kind kind = Kind::deleted;
    Link link;  // as it is now; as it was last, when deleted

    bool operator==(const LinkEvent&) const = default;
};

[[nodiscard]] std::string_view to_text(LinkEvent::Kind kind);

// What happened between two views of one link. Pure.
[[nodiscard]] std::vector<LinkEvent> events_between(const Link& before, const Link& now);

// Listens to RTNLGRP_LINK in the network namespace in which it was made. For an event loop: when fd() is
// readable, call read().
class LinkWatcher {
  public:
    // Subscribes, then reads how the links are now: nothing that happens later is missed. Throws Error.
    explicit LinkWatcher(const std::vector<int>& indexes);

    [[nodiscard]] int fd() const noexcept { return nl_socket_get_fd(events_.get()); }

    // A watched link as it was last seen; null when it is gone or was never there.
    [[nodiscard]] const Link* link(int index) const;

    // What happened to the watched links since the last call. Never waits. When the kernel had to drop
    // messages (ENOBUFS) the links are read anew, and the difference is told: the last state is always right,
    // states in between may be missing.
    [[nodiscard]] std::vector<LinkEvent> read();

  private:
    struct FreeSocket {
        void operator()(nl_sock* socket) const noexcept { nl_socket_free(socket); }
    };

    void take(const nlmsghdr& message, std::vector<LinkEvent>& events);
    void now_is(const Link& link, std::vector<LinkEvent>& events);
    void gone(int index, std::vector<LinkEvent>& events);
    void read_anew(std::vector<LinkEvent>& events);

    std::unique_ptr<nl_sock, FreeSocket> events_;
    NetlinkSocket questions_;  // for reading anew, in the same namespace
    std::map<int, Link> links_;
};

}  // namespace vml::net
