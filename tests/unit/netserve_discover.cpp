// The DHCPDISCOVER of a PXE client: read back by the decoder that reads real ones.
#include <cstdint>
#include <string>
#include <vector>

#include "base/probe_mark.h"
#include "bootwatch/packet.h"
#include "netserve/discover.h"
#include "netserve/frame_bytes.h"
#include "tests/unit/catch.h"

namespace vml::serve {
namespace {

const std::string uuid = "00112233-4455-5677-8899-aabbccddeeff";
constexpr Mac asking{0x52, 0x54, 0, 0x12, 0x34, 0x56};

TEST_CASE("a DISCOVER is a PXE client's own, and its answers are for everybody") {
    const std::string frame =
        discover({0x01020304, asking, 7, "PXEClient:Arch:00007:UNDI:003010", "iPXE", uuid});
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
    CHECK(message.options == std::vector<std::uint8_t>{53, 97, 94, 93, 77, 61, 60, 57, 55});
    CHECK(message.broadcast);
    CHECK(frame.find("\x5E\x03\x01\x03\x0A") != std::string::npos);  // UNDI 3.10
    CHECK_FALSE(message.cut);
    // as iPXE sends it of the same UUID (tests/unit/data/boots/normal.pcap has one)
    CHECK(frame.find(std::string{
              "\x61\x11\x00\x33\x22\x11\x00\x55\x44\x77\x56\x88\x99\xAA\xBB\xCC\xDD\xEE\xFF", 19}) !=
          std::string::npos);
}

TEST_CASE("a firmware's client has no user class, and no name beside its address") {
    const std::string firmware = discover({1, asking, 0, "PXEClient:Arch:00000:UNDI:002001", "", uuid});
    const auto packet = boot::decode_frame(bytes_of(firmware));
    REQUIRE(packet);
    const auto& message = std::get<boot::DhcpMessage>(packet->body);
    CHECK(message.user_class.empty());
    CHECK(firmware.find("\x5E\x03\x01\x02\x01") != std::string::npos);
    CHECK(message.options == std::vector<std::uint8_t>{53, 97, 94, 93, 60, 57, 55});
}

TEST_CASE("a probe's question is told from every client's by its number and its options' order") {
    const std::uint32_t xid = probe_xid(0x123456789ABCDEF0);
    CHECK(xid == 0x564CDEF0);
    CHECK(has_probe_mark(xid, std::vector<std::uint8_t>{53, 97, 94, 93, 77, 61, 60, 57, 55}));
    CHECK(has_probe_mark(xid, std::vector<std::uint8_t>{53, 97, 94, 93, 60, 57, 55, 82}));
    CHECK_FALSE(has_probe_mark(0x564BDEF0, std::vector<std::uint8_t>{53, 97, 94, 93, 60, 57, 55}));
    // iPXE's and edk2's, by chance with such a number
    CHECK_FALSE(has_probe_mark(xid, std::vector<std::uint8_t>{53, 57, 93, 94, 60, 77, 55, 175, 61, 97}));
    CHECK_FALSE(has_probe_mark(xid, std::vector<std::uint8_t>{53, 57, 55, 97, 94, 93, 60}));
    CHECK_FALSE(has_probe_mark(xid, std::vector<std::uint8_t>{53, 97, 94, 93, 60, 57}));
    CHECK_FALSE(has_probe_mark(xid, {}));
    CHECK(has_probe_mark(xid, std::vector<std::uint8_t>{53, 97, 94, 93}, true));
    CHECK_FALSE(has_probe_mark(xid, std::vector<std::uint8_t>{53, 97}, true));
    CHECK_FALSE(has_probe_mark(xid, std::vector<std::uint8_t>{53, 57, 93, 94}, true));
}

}  // namespace
}  // namespace vml::serve
