// What a user types in place of the operations over netlink that make a NIC's link. Pure.
#pragma once

#include <string>

#include "launcher/vm/spec.h"

namespace vml {

struct StandIn {
    std::string command;
    std::string netdev;  // the properties of QEMU's netdev
};

// `number`: the NIC's, 1 for the first.
[[nodiscard]] StandIn by_hand(const BridgePort& port, const NicSpec& nic, unsigned number);
[[nodiscard]] StandIn by_hand(const Macvtap& macvtap, const NicSpec& nic, unsigned number);

}  // namespace vml
