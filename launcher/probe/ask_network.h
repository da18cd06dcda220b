// Asks a network who offers what to a PXE client, while no VM runs: for `vm-launch doctor`. Makes system
// calls, and sends DHCPDISCOVERs, never a request.
//
// It asks over a tap that is a port of the bridge, or over a macvtap, as the guest will: so a DHCP server of
// this host's own on the bridge hears it too, which hears nothing that the host itself sends over the
// bridge's ports, and a firewall and VLANs are those of the guest's frames.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "launcher/vm/spec.h"

namespace vml {

struct NetworkAnswer {
    bool answered = false;             // somebody offers an address
    std::vector<std::string> lines{};  // who offers what, or why nobody does
    nlohmann::ordered_json json{};     // as in a report (docs/report-format.md); null: it was not asked
};

// `nic` is one with NicSpec::probe, or with what forbids it, which a line then says; so does one where the
// host refuses what is needed. Waits until the bridge forwards, and then no longer than ask_limit_s. Never
// throws Error.
[[nodiscard]] NetworkAnswer ask_network(const NicSpec& nic);

// Without an answer. A server that looks first whether somebody has the address takes 3 s (dnsmasq,
// src/config.h, PING_WAIT).
inline constexpr double ask_limit_s = 5;
// It is asked once more after so long: the first frame after a port came up is lost more easily than others.
inline constexpr double ask_again_s = 2;
// Others answer within so long after the first.
inline constexpr double ask_others_s = 2;

}  // namespace vml
