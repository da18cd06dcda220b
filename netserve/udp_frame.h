// UDP datagrams in Ethernet frames, to and from a guest's link. Pure; any bytes are welcome.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/mac.h"
#include "netserve/segment_guest.h"

namespace vml::serve {

// Whom a datagram, or an ICMPv6 message, is for, and of whom.
template <typename Ip>
struct FrameEnds {
    Mac to_mac{};
    Ip from{};
    Ip to{};
    std::uint16_t from_port = 0;  // 0 of ICMPv6, as is the other
    std::uint16_t to_port = 0;
    bool operator==(const FrameEnds&) const = default;
};

// From segment_mac. `payload` fits into one frame.
[[nodiscard]] std::string udp_frame(const FrameEnds<Ip4>& ends, std::string_view payload);
[[nodiscard]] std::string udp_frame(const FrameEnds<Ip6>& ends, std::string_view payload);
// The checksum, which is the message's second pair of bytes, is put in (RFC 4443, 2.3).
[[nodiscard]] std::string icmp6_frame(const FrameEnds<Ip6>& ends, std::string message);

// What came: its ends, with the sender's Ethernet address in place of the target's, and what it carries;
// valid as long as the frame.
template <typename Ip>
struct ReadFrame {
    FrameEnds<Ip> ends;
    std::string_view payload;
};
// Nothing: it is no whole UDP datagram over this protocol. Checksums are not looked at: the link is the
// memory of this host, and a guest leaves them to its NIC.
[[nodiscard]] std::optional<ReadFrame<Ip4>> read_udp4(std::string_view frame);
[[nodiscard]] std::optional<ReadFrame<Ip6>> read_udp6(std::string_view frame);
[[nodiscard]] std::optional<ReadFrame<Ip6>> read_icmp6(std::string_view frame);

}  // namespace vml::serve
