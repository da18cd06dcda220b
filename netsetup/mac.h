// The Ethernet address of the host's end of a link.
#pragma once

#include "base/mac.h"

namespace vml::net {

// The address for the host's end of a guest's tap. A bridge takes the lowest address of its ports as its own
// (net/bridge/br_stp_if.c, br_stp_recalculate_bridge_id), so the first octet is 0xFE, as libvirt has it: the
// bridge's address never changes because of a VM. A guest that has 0xFE itself gets 0xFA: with the guest's
// own address on the port the bridge would deliver the guest's frames to the host.
[[nodiscard]] Mac tap_mac_for(const Mac& guest);

}  // namespace vml::net
