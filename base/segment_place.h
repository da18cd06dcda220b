// Where everybody is on an isolated segment: a network that vm-launch makes, with nothing on it but guests
// and, for each, the vm-launch that serves it.
#pragma once

#include <cstdint>

#include "base/ip.h"
#include "base/mac.h"

namespace vml {

// The segment's networks. 198.18.0.0/15 is for tests on networks without a way out (RFC 2544, C.2.2), and
// fd00::/8 for networks of one's own (RFC 4193); neither is any site's.
inline constexpr Ip4 segment_mask{255, 255, 0, 0};
inline constexpr unsigned segment_prefix4 = 16;  // bits
inline constexpr unsigned segment_prefix6 = 64;
// Of the segment's host towards every guest: the one that answers as a router, and as a DHCPv6 server. The
// MAC address is locally administered (IEEE 802c, bit 1 of the first octet).
inline constexpr Mac segment_mac{0x02, 0x56, 0x4D, 0x4C, 0x53, 0x47};
inline constexpr Ip6 segment_router{0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

// Of the `number`th place of a segment, 1 to 254: where its guest is, and where its vm-launch serves.
[[nodiscard]] constexpr Ip4 guest4_of(unsigned number) {
    return {198, 18, static_cast<std::uint8_t>(number), 2};
}
[[nodiscard]] constexpr Ip4 server4_of(unsigned number) {
    return {198, 18, static_cast<std::uint8_t>(number), 1};
}
[[nodiscard]] constexpr Ip6 guest6_of(unsigned number) {
    return {0xFD, 0x56, 0x4D, 0x4C, 0x52, 0x41, 0, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(number), 0, 2};
}
[[nodiscard]] constexpr Ip6 server6_of(unsigned number) {
    return {0xFD, 0x56, 0x4D, 0x4C, 0x52, 0x41, 0, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(number), 0, 1};
}

}  // namespace vml
