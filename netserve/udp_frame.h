// UDP datagrams in Ethernet frames, as they pass on a guest's own link. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/mac.h"
#include "netserve/ipv4.h"

namespace vml::serve {

inline constexpr Ipv4 everybody{255, 255, 255, 255};
inline constexpr Mac everybody_mac{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

struct UdpEnd {
    Ipv4 address{};
    std::uint16_t port = 0;
    // clang-tidy 14 sees the comparison with zero that the compiler writes here.
    // NOLINTNEXTLINE(hicpp-use-nullptr,modernize-use-nullptr)
    auto operator<=>(const UdpEnd&) const = default;
};

struct Datagram {
    Mac sender{};  // of the frame
    UdpEnd from;
    UdpEnd to;
    std::string_view payload;  // points into the frame
};

// Nothing for what is no whole UDP datagram over IPv4 (RFC 768, RFC 791): another protocol, a fragment, less
// than its headers say. Its checksums are not looked at: nothing between the guest and its link changes a
// byte, and a NIC that offloads them leaves them unfilled.
[[nodiscard]] std::optional<Datagram> datagram_in(Bytes frame);

// The frame that carries the payload, from our_mac, without a checksum of its own (RFC 768). At most
// most_payload bytes.
[[nodiscard]] std::string udp_frame(const Mac& to_mac, const UdpEnd& from, const UdpEnd& to,
                                    std::string_view payload);

// What a link's MTU leaves of a packet: the IPv4 header without options has 20 bytes, the UDP header 8.
inline constexpr unsigned udp_overhead = 28;
inline constexpr std::size_t most_payload = 65535 - udp_overhead;

}  // namespace vml::serve
