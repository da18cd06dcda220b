// The changes to links that a launcher needs: one function, one netlink request (linux/rtnetlink.h,
// linux/if_link.h). All throw Error with the kernel's extended-ack text. `name` is only for the error's text:
// links are told by their index.
#pragma once

#include <optional>
#include <string>

#include "netsetup/links.h"
#include "netsetup/netlink.h"

namespace vml::net {

// RTM_SETLINK with IFLA_MTU, IFLA_ADDRESS and IFLA_IFALIAS, whichever is given.
struct LinkChange {
    std::optional<unsigned> mtu{};
    std::optional<Mac> mac{};
    std::string alias{};  // empty: leave it
};
void change_link(NetlinkSocket& socket, int index, const std::string& name, const LinkChange& change);

// IFLA_MASTER.
void set_master(NetlinkSocket& socket, int index, const std::string& name, const Link& bridge);

// IFF_UP, but first IFLA_INET6_ADDR_GEN_MODE none, both in one datagram: else the host's IPv6 gives the link
// an address, and sends neighbour and router solicitations to the guest (tap) or in the guest's name (macvtap
// has the guest's MAC address).
void set_up(NetlinkSocket& socket, int index, const std::string& name);

// RTM_DELLINK. A link that is gone already is no failure.
void delete_link(NetlinkSocket& socket, int index, const std::string& name);

struct MacvtapRequest {
    int index = 0;  // the ifindex that it shall have
    std::string name{};
    int lower = 0;
    std::string lower_name{};  // for the error's text
    MacvlanMode mode = MacvlanMode::bridge;
    Mac mac{};
    unsigned mtu = 0;
};

// RTM_NEWLINK into another network namespace (IFLA_NET_NS_FD): the link never exists in the lower device's
// own. It is down.
void create_macvtap_in(NetlinkSocket& socket, int netns_fd, const MacvtapRequest& request);

// RTM_NEWLINK in the lower device's own namespace, and alias, no IPv6, up: all in one datagram, so that a
// SIGKILL cannot leave a link without its alias.
void create_tagged_macvtap(NetlinkSocket& socket, const MacvtapRequest& request, const std::string& alias);

}  // namespace vml::net
