// What a guest sends to this host, and what is not to come there.
#pragma once

#include <string>

#include "netsetup/datagram_filter.h"
#include "netsetup/netlink.h"

namespace vml::net {

// RTM_NEWQDISC and RTM_NEWTFILTER: what comes in over the link for there is dropped, after packet sockets
// have seen it (net/core/dev.c, __netif_receive_skb_core). It goes with the link. By classic BPF, which needs
// no privilege of its own, and no module for an action beside the classifier's. Throws Error; `name` is for
// its text alone.
void keep_datagrams(NetlinkSocket& socket, int index, const std::string& name, const DatagramTarget& target);

}  // namespace vml::net
