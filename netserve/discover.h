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
    std::uint32_t xid = 0;       // probe_xid's
    Mac client{};                // its hardware address
    std::uint16_t arch = 0;      // option 93 (RFC 4578, 2.1)
    std::string vendor_class{};  // option 60, of 1 to 255 bytes
    // Option 77, as iPXE writes it; empty: none. Who has one has a name too (option 61), as iPXE has: the
    // hardware address. edk2's clients have neither, and servers tell them by the address alone.
    std::string user_class{};
    std::string uuid{};  // the machine's, as text: option 97
    bool operator==(const Discover&) const = default;
};

// A number that tells the question from every client's own (base/probe_mark.h); `any` from others of ours.
[[nodiscard]] std::uint32_t probe_xid(std::uint64_t any);

// The Ethernet frame, as the client would send it but for the order of its options (base/probe_mark.h). The
// answers are to go to everybody: the client's own link may not be up. Throws where `uuid` is none.
[[nodiscard]] std::string discover(const Discover& question);

}  // namespace vml::serve
