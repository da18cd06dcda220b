// What a capture has of a frame → the Ethernet frame that the decoder reads, without tags. Pure.
//
// Sources: tcpdump.org/linktypes.html (LINKTYPE_ETHERNET, RAW, LINUX_SLL, LINUX_SLL2); IEEE 802.1Q.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace vml::capture {

enum class LinkLayer {
    ethernet,
    linux_sll,   // of tcpdump -i any: 16 bytes, with the sender's address alone
    linux_sll2,  // the same in 20 bytes
    raw_ip,      // no header: the addresses are IP's alone
};

struct EthernetFrame {
    std::string bytes;                   // as much as was captured; addresses that are not known are zero
    std::vector<std::uint16_t> vlans{};  // the outer one first; four at most
};

// Nothing where too little of it was captured.
[[nodiscard]] std::optional<EthernetFrame> as_ethernet(LinkLayer link, Bytes captured);

}  // namespace vml::capture
