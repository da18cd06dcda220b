// What a network makes every iPXE wait for, and how to mend it. Pure.
#pragma once

#include <string>
#include <vector>

#include "bootwatch/record.h"

namespace vml::boot {

// `spared`: a wait for a router was ended by vm-launch itself, so that the network does not show it.
// Sentences for people; none for a network that costs nothing.
[[nodiscard]] std::vector<std::string> network_hints(const Boot& boot, bool spared);

}  // namespace vml::boot
