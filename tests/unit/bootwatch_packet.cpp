// Frames → packets.
#include <string>
#include <variant>

#include "bootwatch/content.h"
#include "bootwatch/packet.h"
#include "tests/unit/bootwatch_frames.h"
#include "tests/unit/catch.h"

namespace vml::boot {
namespace {

using namespace test;

template <typename Body>
Body body_of(const std::string& frame) {
    const auto packet = decode_frame(bytes_of(frame));
    REQUIRE(packet);
    REQUIRE(std::holds_alternative<Body>(packet->body));
    return std::get<Body>(packet->body);
}

TEST_CASE("MAC addresses in text") {
    CHECK(mac_from_text("52:54:00:00:00:01") == guest);
    for (const char* text :
         {"", "52:54:00:00:00", "52:54:00:00:00:0g", "52-54-00-00-00-01", "52:54:00:00:00:01:"}) {
        CHECK(mac_from_text(text) == std::nullopt);
    }
}

TEST_CASE("DHCP: header, options, iPXE's own") {
    const std::string frame = dhcp(false, 2,
                                   option(54, be32(server_ip)) + option(66, "tftp.example") +
                                       option(67, std::string{"boot.ipxe\0", 10}) + option(93, be16(7)) +
                                       option(175, std::string{"\xb0\x01\x01", 3}) + option(60, "PXEClient"),
                                   0x0A000063);
    const auto message = body_of<DhcpMessage>(frame);
    CHECK(message.kind == DhcpKind::offer);
    CHECK(message.from_server);
    CHECK(message.chaddr == guest);
    CHECK(to_string(message.yours) == "10.0.0.99");
    CHECK(to_string(message.server_id) == "10.0.0.1");
    CHECK(message.bootfile == "boot.ipxe");
    CHECK(message.server_name == "tftp.example");
    CHECK(message.client_arch == 7);
    CHECK(message.no_proxy_wait);
    CHECK(message.vendor_class == "PXEClient");
    CHECK(message.has(175));
    CHECK_FALSE(message.has(43));
    CHECK_FALSE(message.cut);
}

TEST_CASE("DHCP: the header's file counts where no option names one; options that are cut are told") {
    CHECK(body_of<DhcpMessage>(dhcp(false, 5, "", 1, "old.0")).bootfile == "old.0");
    const std::string whole = dhcp(false, 5, option(67, "a-long-name.ipxe"));
    const auto cut = body_of<DhcpMessage>(whole.substr(0, whole.size() - 6));
    CHECK(cut.cut);
    CHECK(cut.bootfile.empty());
    CHECK(body_of<DhcpMessage>(dhcp(true, 200, "")).kind == DhcpKind::bootp);
}

TEST_CASE("DHCP: PXE's options inside of option 43") {
    const auto discovery = [](const std::string& options) {
        const auto packet = decode_frame(bytes_of(dhcp(false, 2, options)));
        REQUIRE(packet);
        return std::get<DhcpMessage>(packet->body).discovery;
    };
    CHECK_FALSE(discovery(option(67, "x")));
    CHECK_FALSE(discovery(option(43, "")));
    CHECK_FALSE(discovery(option(43, "\xE0\x01\x41\xFF")));
    CHECK_FALSE(discovery(option(43, "\x47\x04\x80\x01\x06\x01\xFF")));  // the value of another
    CHECK_FALSE(discovery(option(43, "\xFF\x06\x01\x08")));              // after the end
    CHECK(discovery(option(43, "\x06\x01\x08\xFF")) == PxeDiscovery{8});
    CHECK(discovery(option(43, std::string{"\0\x01\x01\x41\x06\x01\x07", 7})) == PxeDiscovery{7});
    CHECK(discovery(option(43, "\x08\x02\x80\x01\xFF")) == PxeDiscovery{0});
    CHECK(discovery(option(43, "\x06")) == PxeDiscovery{0});
    CHECK(discovery(option(43, "\x06\x01\x08") + option(43, "\x06\x01\x04")) == PxeDiscovery{8});
    CHECK_FALSE(discovery(option(43, "\xE0\x01\x41") + option(43, "\x06\x01\x04")));
}

TEST_CASE("a terminal's control codes in a name are no danger") {
    const auto message = body_of<DhcpMessage>(dhcp(false, 5, option(67, "\x1b[2Jx")));
    CHECK(message.bootfile == "?[2Jx");
}

TEST_CASE("TFTP in its five kinds") {
    CHECK(body_of<TftpRequest>(udp(true, 2000, 69, be16(1) + std::string{"a/b.ipxe\0octet\0", 15})).file ==
          "a/b.ipxe");
    const std::string block = udp(false, 3000, 2000, be16(3) + be16(7) + "#!ipxe\n");
    const auto data = body_of<TftpData>(block);
    CHECK(data.block == 7);
    CHECK(data.size == 7);
    CHECK(data.head == "#!ipxe\n");
    CHECK(body_of<TftpAck>(udp(true, 2000, 3000, be16(4) + be16(9))).block == 9);
    const auto error = body_of<TftpError>(udp(false, 3000, 2000, be16(5) + be16(1) + "not found"));
    CHECK(error.code == 1);
    CHECK(error.message == "not found");
    const auto options = body_of<TftpOptions>(
        udp(false, 3000, 2000, be16(6) + std::string{"blksize\0001432\0tsize\00099\0", 22}));
    CHECK(options.block_size == 1432U);
    CHECK(options.file_size == 99U);
}

TEST_CASE("a block that was captured in part keeps its size") {
    const std::string frame = udp(false, 3000, 2000, be16(3) + be16(1) + std::string(500, 'x'));
    const auto packet = decode_frame(bytes_of(frame).part(0, 100));
    REQUIRE(packet);
    const auto* data = std::get_if<TftpData>(&packet->body);
    REQUIRE(data != nullptr);
    CHECK(data->size == 500);
    CHECK(data->head.size() < 100);
}

TEST_CASE("TCP, also behind a VLAN tag") {
    const std::string frame = tcp(true, 5000, 80, 77, ack, "GET / HTTP/1.1\r\n\r\n");
    const auto segment = body_of<TcpSegment>(frame);
    CHECK(segment.sequence == 77);
    CHECK(segment.ack);
    CHECK_FALSE(segment.syn);
    CHECK(segment.head.starts_with("GET /"));
    std::string tagged = frame;
    tagged.insert(12, be16(0x8100) + be16(5));
    CHECK(body_of<TcpSegment>(tagged).sequence == 77);
    CHECK(decode_frame(bytes_of(tagged).part(0, 16)));
}

TEST_CASE("DNS, ARP, ICMP, router discovery") {
    const std::string question =
        std::string{
            "\x06nosuch\x07"
            "example\0",
            16} +
        be16(1) + be16(1);
    const auto answer = body_of<DnsMessage>(
        udp(false, 53, 4000, be16(5) + be16(0x8183) + be16(1) + be16(0) + be32(0) + question));
    CHECK(answer.response);
    CHECK(answer.rcode == 3);
    CHECK(answer.name == "nosuch.example");
    CHECK(answer.type == 1);
    const auto arp =
        body_of<ArpMessage>(ethernet(true, 0x0806,
                                     be16(1) + be16(0x0800) + "\x06\x04" + be16(1) + text_of(guest) +
                                         be32(guest_ip) + std::string(6, '\0') + be32(server_ip)));
    CHECK(arp.request);
    CHECK(to_string(arp.target) == "10.0.0.1");
    const std::string quoted = udp(true, 2000, 69, "x").substr(14);
    const auto icmp = body_of<Unreachable>(ipv4(false, 1, std::string{"\x03\x03\0\0\0\0\0\0", 8} + quoted));
    CHECK(icmp.code == 3);
    CHECK(icmp.udp);
    CHECK(icmp.sender.port == 2000);
    CHECK(icmp.target.port == 69);
    std::string ipv6 = be32(0x60000000) + be16(16) + "\x3a\xff" + std::string(32, '\1');
    const std::string advertisement =
        std::string{"\x86\0\0\0\x40\xc0", 6} + be16(1800) + std::string(8, '\0');
    const auto router = body_of<RouterAdvertisement>(ethernet(false, 0x86DD, ipv6 + advertisement));
    CHECK(router.lifetime_s == 1800);
    CHECK(router.managed);
    CHECK(router.other);
}

TEST_CASE("later fragments, odd protocols and short frames say nothing, and are no danger") {
    std::string fragment = udp(true, 2000, 69, be16(1) + "x");
    fragment[14 + 7] = '\x10';
    CHECK(body_of<OtherFrame>(fragment) == OtherFrame{});
    CHECK(body_of<OtherFrame>(ethernet(true, 0x88CC, "lldp")) == OtherFrame{});
    CHECK(decode_frame(Bytes{{}}) == std::nullopt);
    const std::string whole = dhcp(true, 1, option(77, "iPXE"));
    for (std::size_t length = 0; length < whole.size(); ++length) {
        (void)decode_frame(bytes_of(whole).part(0, length));
    }
}

TEST_CASE("what a file is, by its first bytes") {
    const auto kind = [](std::string bytes) { return classify(bytes_of(bytes)); };
    std::string kernel(content_head, '\0');
    kernel.replace(0x202, 4, "HdrS");
    std::string arm(64, '\0');
    arm.replace(0x38, 4, "ARM\x64");
    std::string program(256, '\0');
    program.replace(0, 2, "MZ");
    program[0x3C] = '\x80';
    program.replace(0x80, 4, std::string{"PE\0\0", 4});
    program.replace(0x84, 2, "\x64\xaa");
    CHECK(kind("#!ipxe\necho x\n") == Content::ipxe_script);
    CHECK(kind(kernel) == Content::x86_kernel);
    CHECK(kind(arm) == Content::aarch64_kernel);
    CHECK(kind(program) == Content::efi_aarch64);
    program.replace(0x84, 2, "\x64\x86");
    CHECK(kind(program) == Content::efi_x86_64);
    CHECK(kind("MZ") == Content::efi_other);
    CHECK(kind("\x7f"
               "ELF\x02") == Content::elf);
    CHECK(kind("070701000") == Content::archive);
    CHECK(kind("\x1f\x8b\x08") == Content::archive);
    CHECK(kind("<html>") == Content::html);
    CHECK(kind("hello\n") == Content::text);
    CHECK(kind("") == Content::unknown);
    CHECK(kind(std::string{"\0\1\2", 3}) == Content::unknown);
}

}  // namespace
}  // namespace vml::boot
