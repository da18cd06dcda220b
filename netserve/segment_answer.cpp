#include "netserve/segment_answer.h"

#include <cstdint>

#include "netserve/dhcp4_answer.h"
#include "netserve/dhcp6_answer.h"
#include "netserve/frame_bytes.h"
#include "netserve/udp_frame.h"

namespace vml::serve {

namespace {

using namespace std::string_view_literals;
using namespace std::string_literals;

constexpr char router_solicitation = '\x85';
constexpr Ip6 every_node{0xFF, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
constexpr Mac every_node_mac{0x33, 0x33, 0, 0, 0, 1};

std::string ip6_chars(const Ip6& address) {
    return {address.begin(), address.end()};
}

// RFC 4861, 4.2: type, code, checksum; hop limit, flags M and O; a lifetime of 0; the other times
// "unspecified". Then the source's link-layer address (4.6.1), the prefix (4.6.2: on the link, and for
// addresses of the guest's own making), and the name server (RFC 8106, 5.1), both for ever.
std::string advertisement(const SegmentGuest& guest) {
    constexpr std::size_t prefix_bytes = segment_prefix6 / 8;
    std::string prefix = ip6_chars(server6_of(guest.number)).substr(0, prefix_bytes);
    prefix.resize(Ip6{}.size(), '\0');
    return "\x86\0\0\0\x40\xC0\0\0"s + std::string(8, '\0') + "\x01\x01"s +
           std::string{segment_mac.begin(), segment_mac.end()} +
           "\x03\x04\x40\xC0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\0"s + prefix +
           "\x19\x03\0\0\xFF\xFF\xFF\xFF"s + ip6_chars(server6_of(guest.number));
}

}  // namespace

std::optional<std::string> router_answer(const SegmentGuest& guest, std::string_view frame) {
    const auto read = read_icmp6(frame);
    if (!read || !read->payload.starts_with(router_solicitation)) {
        return std::nullopt;
    }
    return icmp6_frame({every_node_mac, segment_router, every_node, 0, 0}, advertisement(guest));
}

std::optional<std::string> segment_answer(const SegmentGuest& guest, std::string_view frame) {
    if (auto answer = dhcp4_answer(guest, frame); answer || !guest.with_ip6) {
        return answer;
    }
    const auto answer = dhcp6_answer(guest, frame);
    return answer ? answer : router_answer(guest, frame);
}

}  // namespace vml::serve
