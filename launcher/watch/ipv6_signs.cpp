#include "launcher/watch/ipv6_signs.h"

#include <cstddef>
#include <cstdint>

namespace vml {

namespace {

constexpr std::size_t type_at = 12;  // of an Ethernet header
constexpr std::size_t ipv6_at = 14;
constexpr std::size_t ipv6_size = 40;
constexpr unsigned ipv6_type = 0x86DD;
constexpr std::uint8_t hop_by_hop = 0;  // RFC 8200, 4.3
constexpr std::uint8_t udp = 17;
constexpr std::uint8_t icmp6 = 58;

// A router asks for group members (RFC 2710, 3.1), advertises itself, redirects (RFC 4861, 4.2 and 4.5).
constexpr std::uint8_t member_query = 130;
constexpr std::uint8_t router_advertisement = 134;
constexpr std::uint8_t neighbour_advertisement = 136;
constexpr std::uint8_t redirect = 137;
constexpr std::uint8_t is_router = 0x80;  // a neighbour advertisement's flag R (RFC 4861, 4.4)

// OSPF (RFC 5340), PIM (RFC 7761), VRRP (RFC 5798): routers alone speak them.
constexpr bool is_routing_protocol(std::uint8_t protocol) {
    return protocol == 89 || protocol == 103 || protocol == 112;
}

// DHCPv6 (RFC 8415, 7.2), RIPng (RFC 2080, 2.1).
constexpr bool is_routing_port(unsigned port) {
    return port == 546 || port == 547 || port == 521;
}

bool shows_in_icmp(Bytes frame, std::size_t at) {
    switch (frame.u8(at)) {
        case member_query:
        case router_advertisement:
        case redirect:
            return true;
        case neighbour_advertisement:
            return (frame.u8(at + 4) & is_router) != 0;
        default:
            return false;
    }
}

}  // namespace

bool shows_ipv6_routing(Bytes frame) {
    if (frame.be16(type_at) != ipv6_type) {
        return false;
    }
    std::uint8_t protocol = frame.u8(ipv6_at + 6);
    std::size_t at = ipv6_at + ipv6_size;
    if (protocol == hop_by_hop && at + 1 < frame.size()) {
        constexpr std::size_t unit = 8;  // its length counts eights, the first one apart
        protocol = frame.u8(at);
        at += (std::size_t{frame.u8(at + 1)} + 1) * unit;
    }
    if (at >= frame.size()) {
        return false;
    }
    return is_routing_protocol(protocol) || (protocol == icmp6 && shows_in_icmp(frame, at)) ||
           (protocol == udp && (is_routing_port(frame.be16(at)) || is_routing_port(frame.be16(at + 2))));
}

}  // namespace vml
