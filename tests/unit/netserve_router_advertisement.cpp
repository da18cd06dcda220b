// The frame that stands in for a router: read back by the decoder that reads real ones.
#include <cstdint>
#include <string>

#include "bootwatch/packet.h"
#include "netserve/router_advertisement.h"
#include "tests/unit/catch.h"

namespace vml::serve {
namespace {

// RFC 1071: over data with its own checksum in it the sum is 0xFFFF.
unsigned ones_sum(const std::string& bytes) {
    unsigned sum = 0;
    for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
        sum += static_cast<unsigned>(static_cast<std::uint8_t>(bytes[at])) << 8U |
               static_cast<std::uint8_t>(bytes[at + 1]);
    }
    while (sum > 0xFFFF) {
        sum = (sum & 0xFFFFU) + (sum >> 16U);
    }
    return sum;
}

TEST_CASE("the advertisement promises nothing, and is one") {
    const std::string frame = router_advertisement();
    const auto packet = boot::decode_frame(bytes_of(frame));
    REQUIRE(packet);
    CHECK(packet->target == vml::Mac{0x33, 0x33, 0, 0, 0, 1});
    CHECK((packet->source[0] & 3) == 2);  // locally administered, of one station
    CHECK(to_string(packet->to.address) == "ff02::1");
    CHECK(to_string(packet->from.address) == "fe80::56:4dff:fe4c:5241");
    CHECK(std::get<boot::RouterAdvertisement>(packet->body) == boot::RouterAdvertisement{0, false, false});
}

TEST_CASE("the advertisement is what a receiver must not discard (RFC 4861, 6.1.2)") {
    const std::string frame = router_advertisement();
    constexpr std::size_t ethernet = 14;
    constexpr std::size_t ipv6 = 40;
    const std::string icmp = frame.substr(ethernet + ipv6);
    CHECK(static_cast<std::uint8_t>(frame[ethernet + 7]) == 255);  // hop limit
    CHECK(icmp.size() == 24);
    CHECK(icmp[1] == 0);  // code
    const std::string size{"\0\0\0\x18", 4};
    const std::string pseudo = frame.substr(ethernet + 8, 32) + size + std::string{"\0\0\0\x3a", 4};
    CHECK(ones_sum(pseudo + icmp) == 0xFFFF);
    CHECK(icmp.substr(16, 2) == "\x01\x01");  // the source's link-layer address, 8 bytes
    CHECK(icmp.substr(18) == frame.substr(6, 6));
}

}  // namespace
}  // namespace vml::serve
