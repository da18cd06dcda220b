// The links that are watched, as the kernel's messages tell of them. Pure.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include <linux/netlink.h>

#include "netsetup/links.h"

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

// What happened between two views of one link.
[[nodiscard]] std::vector<LinkEvent> events_between(const Link& before, const Link& now);

class WatchedLinks {
  public:
    void add(Link link);

    // By index.
    [[nodiscard]] const std::map<int, Link>& all() const { return links_; }
    // As it was last seen; null when it is gone or was never there.
    [[nodiscard]] const Link* find(int index) const;

    // What a message of the group RTNLGRP_LINK tells; messages of any other kind, and of other links, may
    // come.
    void take(const nlmsghdr& message, std::vector<LinkEvent>& events);
    // What was found by asking: of a link that is watched.
    void now_is(const Link& link, std::vector<LinkEvent>& events);
    void gone(int index, std::vector<LinkEvent>& events);

  private:
    std::map<int, Link> links_;
};

}  // namespace vml::net
