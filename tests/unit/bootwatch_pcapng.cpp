// A pcapng file's blocks, byte by byte as the draft has them.
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "bootwatch/pcapng.h"
#include "tests/unit/catch.h"

namespace vml::boot {
namespace {

std::string hex(std::string_view bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        text += fmt::format("{}{:02x}", i > 0 && i % 4 == 0 ? " " : "", static_cast<unsigned char>(bytes[i]));
    }
    return text;
}

TEST_CASE("a section, with who wrote it") {
    CHECK(hex(pcapng_section("web")) ==
          "0a0d0d0a 38000000 4d3c2b1a 01000000 ffffffff ffffffff "  // version 1.0, of unknown length
          "01000300 77656200 "                                      // opt_comment
          "04000900 766d2d6c 61756e63 68000000 "                    // shb_userappl
          "00000000 38000000");
}

TEST_CASE("an interface is of Ethernet, and counts nanoseconds") {
    CHECK(hex(pcapng_interface({"net0", Mac{0x52, 0x54, 0, 0, 0, 1}, 1024})) ==
          "01000000 34000000 01000000 00040000 "
          "02000400 6e657430 "           // if_name
          "06000600 52540000 00010000 "  // if_MACaddr
          "09000100 09000000 "           // if_tsresol
          "00000000 34000000");
}

TEST_CASE("a packet, cut, with what is said of it") {
    PcapngPacket packet{1, 0x123456789ABCDEF0, "abcde", 1500, PcapngWay::inbound, {"x", "yz"}};
    CHECK(hex(pcapng_packet(packet)) ==
          "06000000 44000000 01000000 78563412 f0debc9a 05000000 dc050000 61626364 65000000 "
          "01000100 78000000 01000200 797a0000 "  // opt_comment, twice
          "02000400 01000000 "                    // epb_flags
          "00000000 44000000");
    packet.comments.clear();
    packet.way = PcapngWay::unknown;
    packet.bytes = "abcd";
    CHECK(hex(pcapng_packet(packet)) ==
          "06000000 24000000 01000000 78563412 f0debc9a 04000000 dc050000 61626364 24000000");
}

TEST_CASE("whatever anybody sent, a comment is one line of UTF-8, and not too long") {
    CHECK(as_comment("a\nb\x1b[2J\xff") == "a\\nb\\x1b[2J\\xff");
    const std::string umlauts = as_comment(std::string(longest_comment - 1, 'x') + "\xc3\xa4");
    CHECK(umlauts == std::string(longest_comment - 1, 'x'));
    PcapngPacket packet{0, 0, "", 0, PcapngWay::unknown, {std::string(100'000, 'x')}};
    CHECK(pcapng_packet(packet).size() == 32 + 4 + longest_comment + 4);
}

}  // namespace
}  // namespace vml::boot
