// What becomes of the offer that vm-launch makes to a guest's boot client beside the network's own. Pure.
//
// It is a ProxyDHCP server's, to iPXE with its highest priority: netserve/proxy_offer.h.
#pragma once

#include <string>
#include <string_view>

#include "bootwatch/record.h"

namespace vml::boot {

// A file that is asked for shows whose offer the client took, where it is one that some offer of this talk
// names. True where that is noted now.
bool note_choice(DhcpTalk& talk, const Fetch& fetch);

// Does this client take it, by all that is known? Also while the network has acknowledged nothing yet.
[[nodiscard]] bool is_own_offer_taken(const DhcpTalk& talk);

// Whose file it is taken before, or why it is not taken, or may not be. "" where nobody else names a file, or
// vm-launch has made no offer.
[[nodiscard]] std::string fate_text(const DhcpTalk& talk);

// The same of a client that has its address, where this boot has no mark of it yet.
[[nodiscard]] std::string untold_fate(const Boot& boot, const DhcpTalk& talk);

// What to do where it is not taken.
[[nodiscard]] std::string_view own_offer_hint(const DhcpTalk& talk);

}  // namespace vml::boot
