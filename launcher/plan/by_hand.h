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

[[nodiscard]] StandIn by_hand(const Isolated& net, const NicSpec& nic, unsigned number);

// The folder that is made by hand of what vm-launch would serve, in the one that the shell is in, and the
// command that makes it.
[[nodiscard]] std::string folder_by_hand(const std::string& vm_name);
[[nodiscard]] std::string serving_by_hand(const Netboot& netboot, const std::string& vm_name);

}  // namespace vml
