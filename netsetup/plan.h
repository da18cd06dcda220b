// From what is asked for and what there is, to the list of operations. Pure.
#pragma once

#include <chrono>
#include <vector>

#include "base/error.h"
#include "netsetup/checks.h"
#include "netsetup/operation.h"

namespace vml::net {

struct NicPlan {
    std::vector<Operation> operations{};  // empty when there are faults
    std::vector<Fault> faults{};          // all at once
    std::vector<Fault> warnings{};
    // how long after the last operation the bridge's port begins to forward: the guest's first DHCP request
    // must wait for it
    std::chrono::milliseconds forwards_after{0};

    bool operator==(const NicPlan&) const = default;
};

// A tap with the bridge's MTU and an address derived from the guest's, made a port of the bridge, then
// brought up. The MTU is given before the tap becomes a port: a bridge takes the smallest MTU of its ports
// (br_if.c, br_mtu_auto_adjust), and must not change because of a VM. A smaller one that was asked for is a
// warning therefore.
[[nodiscard]] NicPlan plan_bridge_nic(const BridgeRequest& request, const HostNetworkFacts& facts);

// A macvtap in bridge mode with the guest's own address, and its queues. With CAP_SYS_ADMIN it lives in a
// private network namespace (Lifetime::with_its_queues), else beside its lower device, with a tag.
[[nodiscard]] NicPlan plan_direct_nic(const DirectRequest& request, const HostNetworkFacts& facts);

}  // namespace vml::net
