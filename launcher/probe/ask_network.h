// Asks a network who offers what to a PXE client, while no VM runs: for `vm-launch doctor`. Makes system
// calls, and sends DHCPDISCOVERs, never a request.
//
// There is no tap yet, so that the question leaves by the bridge itself, or the lower device. On a bridge
// that filters VLANs it goes into the bridge's own VLAN, and a firewall sees it as the host's (bridge family:
// output), while a guest's frames are forwarded.
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

// `nic` is one with NicSpec::probe. `capture_error`: errno of making a packet socket. Waits no longer than
// ask_limit_s. Throws Error where the kernel refuses what it should not.
[[nodiscard]] NetworkAnswer ask_network(const NicSpec& nic, int capture_error);

// Without an answer. A server that looks first whether somebody has the address takes 3 s (dnsmasq,
// src/config.h, PING_WAIT).
inline constexpr double ask_limit_s = 5;
// It is asked once more after so long: the first frame after a port came up is lost more easily than others.
inline constexpr double ask_again_s = 2;
// Others answer within so long after the first.
inline constexpr double ask_others_s = 2;

}  // namespace vml
