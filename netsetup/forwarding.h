// Which addresses a bridge knows behind which of its ports: its forwarding table (`bridge fdb show br NAME`).
// Reads only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "netsetup/mac.h"
#include "netsetup/netlink.h"

namespace vml::net {

struct ForwardingEntry {
    int bridge = 0;  // ifindex
    int port = 0;    // ifindex; of the bridge itself for a local address of its own
    Mac mac{};
    std::uint16_t vlan = 0;              // 0: of a bridge that does not filter VLANs, or of every VLAN
    bool local = false;                  // frames to it are the host's own
    bool set_by_hand = false;            // it was not learned from a frame, and does not age
    std::chrono::seconds silent_for{0};  // since the last frame from it came in

    bool operator==(const ForwardingEntry&) const = default;
};

// The entry in an RTM_NEWNEIGH message of the family AF_BRIDGE (net/bridge/br_fdb.c, fdb_fill_info); nothing
// where it is no bridge's. Pure.
[[nodiscard]] std::optional<ForwardingEntry> parse_forwarding(const nlmsghdr& message);

// One bridge's table. Throws Error.
[[nodiscard]] std::vector<ForwardingEntry> list_forwarding(NetlinkSocket& socket, int bridge);

}  // namespace vml::net
