// The DHCPDISCOVER that asks a network, in a PXE client's name, what it would offer to that client. Pure.
//
// Nothing is ever requested, so that no server gives a lease; those that keep an offered address back for a
// moment (RFC 2131, 3.1) keep it for this client.
#pragma once

#include <cstdint>
#include <string>

#include "base/mac.h"

namespace vml::serve {

struct Discover {
    std::uint32_t xid = 0;       // one that the client itself does not use
    Mac client{};                // its hardware address, and by option 61 its name too, as iPXE has it
    std::uint16_t arch = 0;      // option 93 (RFC 4578, 2.1)
    std::string vendor_class{};  // option 60, of 1 to 255 bytes
    std::string user_class{};    // option 77, as iPXE writes it; empty: none
    bool operator==(const Discover&) const = default;
};

// The Ethernet frame, as the client would send it. The answers are to go to everybody: the client's own link
// may not be up.
[[nodiscard]] std::string discover(const Discover& question);

}  // namespace vml::serve
