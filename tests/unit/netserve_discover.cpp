// The DHCPDISCOVER of a PXE client: read back by the decoder that reads real ones.
#include <cstdint>
#include <string>

#include "bootwatch/packet.h"
#include "netserve/discover.h"
#include "netserve/frame_bytes.h"
#include "tests/unit/catch.h"

namespace vml::serve {
namespace {

constexpr Mac asking{0x52, 0x54, 0, 0x12, 0x34, 0x56};

TEST_CASE("a DISCOVER is a PXE client's own, and its answers are for everybody") {
    const std::string frame = discover({0x01020304, asking, 7, "PXEClient:Arch:00007:UNDI:003010", "iPXE"});
    constexpr std::size_t ethernet = 14;
    constexpr std::size_t ip_header = 20;
    constexpr std::size_t flags = ethernet + ip_header + 8 + 10;
    CHECK(checksum(frame.substr(ethernet, ip_header)) == 0);
    CHECK(frame.substr(flags, 2) == std::string{"\x80\0", 2});
    const auto packet = boot::decode_frame(bytes_of(frame));
    REQUIRE(packet);
    CHECK(packet->source == asking);
    CHECK(packet->target == Mac{0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
    CHECK(packet->from == boot::Endpoint{boot::Address::v4(0), 68});
    CHECK(packet->to == boot::Endpoint{boot::Address::v4(0xFFFFFFFF), 67});
    const auto& message = std::get<boot::DhcpMessage>(packet->body);
    CHECK(message.kind == boot::DhcpKind::discover);
    CHECK_FALSE(message.from_server);
    CHECK(message.xid == 0x01020304);
    CHECK(message.chaddr == asking);
    CHECK(message.yours.is_zero());
    CHECK(message.client_arch == std::uint16_t{7});
    CHECK(message.vendor_class == "PXEClient:Arch:00007:UNDI:003010");
    CHECK(message.user_class == "iPXE");
    CHECK(message.options == std::vector<std::uint8_t>{53, 57, 93, 94, 60, 77, 55, 61});
    CHECK_FALSE(message.cut);
}

TEST_CASE("a firmware's client has no user class") {
    const auto packet = boot::decode_frame(bytes_of(discover({1, asking, 0, "PXEClient", ""})));
    REQUIRE(packet);
    const auto& message = std::get<boot::DhcpMessage>(packet->body);
    CHECK(message.user_class.empty());
    CHECK_FALSE(message.has(77));
}

}  // namespace
}  // namespace vml::serve
