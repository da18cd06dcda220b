// The requests over netlink that an isolated segment needs beside those of link_requests.h. All throw Error.
#pragma once

#include <string>

#include "base/mac.h"
#include "base/segment_place.h"
#include "netsetup/netlink.h"

namespace vml::net {

// RTM_NEWLINK of the kind "bridge", without STP, so that its ports forward at once. It is down. One of that
// name is no failure.
void create_bridge(NetlinkSocket& socket, const std::string& name, const Mac& mac);

// RTM_NEWADDR. An address that is there already is no failure.
void add_address(NetlinkSocket& socket, int index, const Ip4& address, unsigned prefix);
// Usable at once, without a search for others who have it (IFA_F_NODAD). False: there is no IPv6, as where
// the kernel was told to leave it out (ipv6.disable, net.ipv6.conf.default.disable_ipv6).
[[nodiscard]] bool add_address(NetlinkSocket& socket, int index, const Ip6& address, unsigned prefix);

}  // namespace vml::net
