// Whether a guest's address is in use already where its NIC is to be, as far as the host can tell. Pure.
#pragma once

#include <string>
#include <vector>

#include "netsetup/host_facts.h"
#include "netsetup/links.h"
#include "netsetup/mac.h"

namespace vml::net {

struct MacUse {
    bool certain = false;  // two of them cannot both work here; else it may be the past of this very VM
    std::string why;
    std::string hint;

    bool operator==(const MacUse&) const = default;
};

// On a bridge: as an address of the host's own, by another VM whose tap is a port, or heard on a port. Only
// what is forwarded to the guest's VLAN counts.
[[nodiscard]] std::vector<MacUse> uses_on_bridge(const Mac& guest, const Link& bridge,
                                                 const HostNetworkFacts& facts);

// On a device for macvtaps. Those in another network namespace are not seen: the kernel refuses the address.
[[nodiscard]] std::vector<MacUse> uses_on_device(const Mac& guest, const Link& device,
                                                 const std::vector<Link>& links);

}  // namespace vml::net
