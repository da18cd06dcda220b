// A router advertisement for a guest that looks for a router where there is none. Pure.
//
// iPXE of Debian 12 waits 13 s for a router before it goes on with the address that DHCP has long given it;
// any advertisement ends the wait. This one promises nothing: it has no prefix, no flags and a router
// lifetime of 0, "not a default router" (RFC 4861, 4.2).
#pragma once

#include <string>

namespace vml::serve {

// The Ethernet frame, to all nodes (RFC 4861, 6.2.6), from an address of ours that nobody else has. To be
// sent on the guest's own link only.
[[nodiscard]] std::string router_advertisement();

}  // namespace vml::serve
