// The frame that stands in for a ProxyDHCP server: read back by the decoder that reads real ones.
#include <cstdint>
#include <optional>
#include <string>

#include "bootwatch/packet.h"
#include "netserve/frame_bytes.h"
#include "netserve/proxy_offer.h"
#include "tests/unit/catch.h"

namespace vml::serve {
namespace {

constexpr Mac offered_mac{0x52, 0x54, 0, 0x12, 0x34, 0x56};

boot::Packet read_back(const std::string& bootfile, std::optional<std::int8_t> priority = {}) {
    const std::string frame = proxy_offer({0x01020304, offered_mac, {10, 0, 2, 2}, bootfile, priority});
    constexpr std::size_t ethernet = 14;
    constexpr std::size_t ip_header = 20;
    CHECK(checksum(frame.substr(ethernet, ip_header)) == 0);  // over a header with its own checksum in it
    const auto packet = boot::decode_frame(bytes_of(frame));
    REQUIRE(packet);
    return *packet;
}

TEST_CASE("a ProxyDHCP server's offer names a server and a file, and no address") {
    const boot::Packet packet = read_back("http://10.0.2.2:8080/boot.ipxe");
    CHECK(packet.target == Mac{0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
    CHECK(to_string(packet.from.address) == "10.0.2.2");
    CHECK(packet.from.port == 67);
    CHECK(packet.to.port == 68);
    const auto& offer = std::get<boot::DhcpMessage>(packet.body);
    CHECK(offer.kind == boot::DhcpKind::offer);
    CHECK(offer.from_server);
    CHECK(offer.xid == 0x01020304);
    CHECK(offer.chaddr == offered_mac);
    CHECK(offer.yours.is_zero());
    CHECK(to_string(offer.next_server) == "10.0.2.2");
    CHECK(to_string(offer.server_id) == "10.0.2.2");
    CHECK(offer.vendor_class == "PXEClient");
    CHECK(offer.bootfile == "http://10.0.2.2:8080/boot.ipxe");
    CHECK(offer.has(43));
    CHECK_FALSE(offer.cut);
}

// The header has room for 127 characters, an option for 255 (RFC 2131, 2 and RFC 2132, 9.5).
TEST_CASE("a file's name of any length that DHCP takes") {
    for (const std::size_t length : {1U, 127U, 128U, 255U}) {
        const std::string name(length, 'a');
        const boot::Packet packet = read_back(name, std::int8_t{127});
        const auto& offer = std::get<boot::DhcpMessage>(packet.body);
        CHECK(offer.bootfile == name);
        CHECK(offer.has(67) == (length > 127));
    }
}

TEST_CASE("an offer's size is its message's") {
    ProxyOffer offer{1, offered_mac, {10, 0, 2, 2}, "a"};
    constexpr std::size_t ethernet_header = 14;
    for (const std::size_t length : {1U, 255U}) {
        offer.options = {{209, false, std::string(length, 'x')}};
        CHECK(proxy_offer(offer).size() == ethernet_header + udp4_overhead + proxy_offer_size(offer));
    }
}

TEST_CASE("a priority among iPXE's settings is there where it is asked for") {
    using namespace std::string_literals;
    constexpr std::uint8_t of_ipxe = 175;
    CHECK_FALSE(std::get<boot::DhcpMessage>(read_back("a").body).has(of_ipxe));
    for (const int priority : {127, 1, 0, -128}) {
        const auto asked = static_cast<std::int8_t>(priority);
        CHECK(std::get<boot::DhcpMessage>(read_back("a", asked).body).has(of_ipxe));
        const std::string wanted = "\xAF\x03\x01\x01"s + static_cast<char>(asked) + "\xFF"s;
        CHECK(proxy_offer({1, offered_mac, {10, 0, 2, 2}, "a", asked}).find(wanted) != std::string::npos);
    }
}

TEST_CASE("options of the user's go beside the offer's own, and before them") {
    using namespace std::string_literals;
    ProxyOffer offer{1, offered_mac, {10, 0, 2, 2}, "a", std::int8_t{127}};
    offer.options = {{209, false, "grub.cfg"}, {83, true, "\1"}, {43, false, "\x06\x01\x03\xFF"}};
    const std::string frame = proxy_offer(offer);
    CHECK(frame.find("\xD1\x08grub.cfg"s) != std::string::npos);
    CHECK(frame.find("\xAF\x06\x01\x01\x7F\x53\x01\x01\xFF"s) != std::string::npos);
    CHECK(frame.find("\x2B\x04\x06\x01\x03\xFF"s) != std::string::npos);
    CHECK(frame.find("\x2B\x04\x06\x01\x08\xFF"s) == std::string::npos);
}

}  // namespace
}  // namespace vml::serve
