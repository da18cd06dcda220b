#include <cstddef>
#include <cstdint>

#include "bootwatch/packet_parts.h"

namespace vml::boot {

namespace {

constexpr std::uint8_t hop_by_hop = 0;  // RFC 8200, 4.3

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

bool shows_in_icmp(Bytes message) {
    switch (message.u8(0)) {
        case member_query:
        case router_advertisement:
        case redirect:
            return true;
        case neighbour_advertisement:
            return (message.u8(4) & is_router) != 0;
        default:
            return false;
    }
}

}  // namespace

bool shows_ipv6_routing(std::uint8_t next_header, Bytes payload) {
    if (next_header == hop_by_hop && payload.has(0, 2)) {
        constexpr std::size_t unit = 8;  // its length counts eights, the first one apart
        next_header = payload.u8(0);
        payload = payload.from((std::size_t{payload.u8(1)} + 1) * unit);
    }
    if (payload.size() == 0) {
        return false;
    }
    return is_routing_protocol(next_header) || (next_header == protocol_icmp6 && shows_in_icmp(payload)) ||
           (next_header == protocol_udp &&
            (is_routing_port(payload.be16(0)) || is_routing_port(payload.be16(2))));
}

}  // namespace vml::boot
