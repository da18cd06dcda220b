// A probe of the network before the boot: DHCPDISCOVERs in the guest's name, and the answers, which the guest
// ignores, as it asked nothing by this number (xid). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bootwatch/record.h"

namespace vml::boot {

// Is it a probe's own question, or an answer to it? Whatever is, is none of the guest's.
[[nodiscard]] bool belongs_to(const Probe& probe, const Packet& packet);

// Notes the answer, if it is one, and a server's first. True where there is news.
bool add_answer(Probe& probe, double at, const Packet& packet);

// Somebody offers an address, and not a file alone.
[[nodiscard]] bool has_address(const Probe& probe);

// "10.77.0.1 offers 10.77.0.70, file boot.ipxe on 10.77.0.1 (options 54, 51, 1, 3)"
[[nodiscard]] std::string answer_text(const Offer& offer);
// A line for each server, and what all of them together mean for a boot; empty: nobody answered.
[[nodiscard]] std::vector<std::string> answer_lines(const Probe& probe);

// In what the guest's own question differs from the probe's: "option 77: iPXE, not none". Empty: in nothing
// that servers and firewalls look at.
[[nodiscard]] std::string difference_text(const Probe& probe, const DhcpTalk& guest);

}  // namespace vml::boot
