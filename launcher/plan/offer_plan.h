// What vm-launch offers to a NIC's boot clients beside the network's own DHCP. Pure.
#pragma once

#include "launcher/plan/plan_writer.h"

namespace vml {

// Nothing where nothing is offered. `number`: 1 for the first NIC.
void plan_offer(const NicSpec& nic, unsigned number, PlanWriter& writer);

}  // namespace vml
