// UDP datagrams in Ethernet frames, to and from a guest's link. Pure; any bytes are welcome.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/mac.h"
#include "base/segment_place.h"

namespace vml::serve {

inline constexpr Ip4 everybody{255, 255, 255, 255};
inline constexpr Mac everybody_mac{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

// An address and a port.
struct UdpEnd {
    Ip4 address{};
    std::uint16_t port = 0;
    // clang-tidy 14 sees the comparison with zero that the compiler writes here.
    // NOLINTNEXTLINE(hicpp-use-nullptr,modernize-use-nullptr)
    auto operator<=>(const UdpEnd&) const = default;
};

// Whom a datagram, or an ICMPv6 message, is for, and of whom.
template <typename Ip>
struct FrameEnds {
    Mac to_mac{};
    Ip from{};
    Ip to{};
    std::uint16_t from_port = 0;  // 0 of ICMPv6, as is the other
    std::uint16_t to_port = 0;
    Mac from_mac = segment_mac;
    bool operator==(const FrameEnds&) const = default;
};

// `payload` fits into one frame. Without a checksum of its own (RFC 768).
[[nodiscard]] std::string udp_frame(const FrameEnds<Ip4>& ends, std::string_view payload);
// With one.
[[nodiscard]] std::string udp_frame(const FrameEnds<Ip6>& ends, std::string_view payload);
// What a link's MTU leaves of a packet: the IPv4 header without options has 20 bytes, the UDP header 8.
inline constexpr unsigned udp4_overhead = 28;

// The checksum, which is the message's second pair of bytes, is put in (RFC 4443, 2.3).
[[nodiscard]] std::string icmp6_frame(const FrameEnds<Ip6>& ends, std::string message);

// What came: its ends, and what it carries; valid as long as the frame.
template <typename Ip>
struct ReadFrame {
    FrameEnds<Ip> ends;
    std::string_view payload;
};
// Nothing: it is no whole UDP datagram over this protocol, or a fragment. Checksums are not looked at: the
// link is the memory of this host, and a NIC that offloads them leaves them unfilled.
[[nodiscard]] std::optional<ReadFrame<Ip4>> read_udp4(std::string_view frame);
[[nodiscard]] std::optional<ReadFrame<Ip6>> read_udp6(std::string_view frame);
[[nodiscard]] std::optional<ReadFrame<Ip6>> read_icmp6(std::string_view frame);

}  // namespace vml::serve
