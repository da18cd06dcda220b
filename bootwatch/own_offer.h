// What becomes of the offer that vm-launch makes to a guest's iPXE beside the network's own. Pure.
//
// It is a ProxyDHCP server's with iPXE's highest priority: netserve/proxy_offer.h.
#pragma once

#include <string>
#include <string_view>

#include "bootwatch/record.h"

namespace vml::boot {

// Does this iPXE take it, by all that is known? Also while the network has acknowledged nothing yet.
[[nodiscard]] bool is_own_offer_taken(const DhcpTalk& talk);

// Whose file it is taken before, or why it is not taken. "" where nobody else names a file, or vm-launch has
// made no offer.
[[nodiscard]] std::string fate_text(const DhcpTalk& talk);

// What to do where it is not taken.
inline constexpr std::string_view own_offer_hint =
    "let the network's DHCP server send iPXE neither option 175.176 nor option 175.1 = 127, or name the file "
    "itself";

}  // namespace vml::boot
