// What `status` tells of a run, from what its parts know. Pure.
#pragma once

#include <string>
#include <vector>

#include "bootwatch/record.h"
#include "launcher/remote/nic_addresses.h"
#include "launcher/run/supervisor_state.h"

namespace vml {

// "starting", "running" or "stopping".
[[nodiscard]] std::string phase_word(supervise::Phase phase);

// The addresses that the guest was seen to get in this boot: one for each NIC at most, the latest: what a
// DHCP server acknowledged.
[[nodiscard]] std::vector<NicAddress> leases_of(const boot::Boot& boot);

}  // namespace vml
