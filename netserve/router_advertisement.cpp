#include "netserve/router_advertisement.h"

#include "netserve/frame_bytes.h"
#include "netserve/udp_frame.h"

namespace vml::serve {

namespace {

using namespace std::string_literals;

// The link-local address that belongs to our_mac (RFC 4291, appendix A).
constexpr Ip6 our_address{0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0x00, 0x56, 0x4D, 0xFF, 0xFE, 0x4C, 0x52, 0x41};
// Of all nodes (RFC 4291, 2.7.1; RFC 2464, 7).
constexpr Mac all_nodes_mac{0x33, 0x33, 0, 0, 0, 0x01};
constexpr Ip6 all_nodes{0xFF, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01};

}  // namespace

// RFC 4861, 4.2: type, code, checksum; hop limit and flags; lifetime, reachable time and timer, all of them
// "unspecified"; the source's link-layer address (4.6.1).
std::string router_advertisement() {
    return icmp6_frame({all_nodes_mac, our_address, all_nodes, 0, 0, our_mac},
                       "\x86\0\0\0\0\0"s + std::string(2 + 4 + 4, '\0') + "\x01\x01"s +
                           std::string{our_mac.begin(), our_mac.end()});
}

}  // namespace vml::serve
