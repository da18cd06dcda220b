#include "netserve/router_advertisement.h"

#include <string_view>

#include "netserve/frame_bytes.h"

namespace vml::serve {

namespace {

using namespace std::string_view_literals;
using namespace std::string_literals;

// The link-local address that belongs to our_mac (RFC 4291, appendix A).
constexpr std::string_view our_address = "\xFE\x80\0\0\0\0\0\0\x00\x56\x4D\xFF\xFE\x4C\x52\x41"sv;
// Of all nodes (RFC 4291, 2.7.1; RFC 2464, 7).
constexpr std::string_view all_nodes_mac = "\x33\x33\0\0\0\x01"sv;
constexpr std::string_view all_nodes = "\xFF\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"sv;
constexpr std::string_view ipv6_type = "\x86\xDD"sv;
constexpr std::string_view version_and_flow = "\x60\0\0\0"sv;
constexpr char icmp6 = 58;
constexpr char hop_limit = '\xFF';  // proves that no router passed it on (RFC 4861, 6.1.2)

// RFC 4861, 4.2: type, code, checksum; hop limit and flags; lifetime, reachable time and timer, all of them
// "unspecified"; the source's link-layer address (4.6.1).
std::string message(std::size_t sum) {
    return "\x86\0"s + be16(sum) + "\0\0"s + std::string(2 + 4 + 4, '\0') + "\x01\x01"s +
           std::string{our_mac};
}

}  // namespace

std::string router_advertisement() {
    const std::string size = be16(message(0).size());
    // RFC 8200, 8.1
    const std::string pseudo_header =
        std::string{our_address} + std::string{all_nodes} + "\0\0"s + size + "\0\0\0"s + icmp6;
    const std::string icmp = message(checksum(pseudo_header + message(0)));
    std::string frame;
    for (const std::string_view part : {all_nodes_mac, our_mac, ipv6_type, version_and_flow}) {
        frame += part;
    }
    return frame + size + icmp6 + hop_limit + std::string{our_address} + std::string{all_nodes} + icmp;
}

}  // namespace vml::serve
