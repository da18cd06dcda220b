// DISK, DISK2, DISK3, … and NETWORK2_MODE, NETWORK2_BRIDGE, …, NETWORK3_MODE, …: the variables of what there
// may be several of. Pure.
#pragma once

#include "launcher/settings/environment.h"
#include "launcher/settings/layer.h"

namespace vml {

// The layer's disks and further NICs, and a fault for each number that would not be read: the numbers begin
// with 2 and have no gap; DISK itself may be missing.
void take_numbered(const Environment& environment, Layer& layer);

}  // namespace vml
