// What a network makes every iPXE wait for, and how to mend it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bootwatch/record.h"

namespace vml::boot {

// `spared`: a wait for a router was ended by vm-launch itself, so that the network does not show it.
// Sentences for people; none for a network that costs nothing.
[[nodiscard]] std::vector<std::string> network_hints(const Boot& boot, bool spared);

// "a frame from net0's own MAC address 52:54:00:12:34:56 came in from the network at 2.3 s: …"
[[nodiscard]] std::string describe(const Twin& twin);
// What to do about one.
inline constexpr std::string_view twin_remedy = "choose another MAC address (--mac), or find the loop";

}  // namespace vml::boot
