// Whom vm-launch tells what it serves on a bridge, and whose connections to its server are the guest's.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "launcher/watch/guest_connections.h"
#include "launcher/watch/own_offer.h"
#include "tests/unit/bootwatch_frames.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

using namespace boot::test;

const OwnService service{"net1", {10, 77, 0, 3}, "http://10.77.0.3:40000/boot.ipxe", {}, {}};
const OwnService for_firmware{
    "net1", {10, 77, 0, 3}, "http://10.77.0.3:40000/boot.ipxe", {}, FirmwareFile{"snponly.efi", false}};
const std::vector<boot::WatchedNic> watched{{"net0", Mac{2, 0, 0, 0, 0, 1}}, {"net1", guest}};

boot::Packet packet_of(const std::string& frame) {
    const auto packet = boot::decode_frame(bytes_of(frame));
    REQUIRE(packet);
    return *packet;
}

std::vector<serve::ProxyOffer> all_due(const OwnService& served, const boot::Packet& packet,
                                       std::size_t nic = 1) {
    boot::Timeline timeline{watched};
    timeline.packet(1, nic, packet);
    return OwnOffer{served, watched}.due(nic, packet, timeline.current_boot());
}

std::optional<serve::ProxyOffer> due(const boot::Packet& packet, std::size_t nic = 1) {
    const auto all = all_due(service, packet, nic);
    return all.empty() ? std::nullopt : std::optional{all.front()};
}

const std::string as_pxe = option(60, "PXEClient:Arch:00007:UNDI:003000");
const std::string as_http = option(60, "HTTPClient:Arch:00016:UNDI:003001");

// To whom, at which port.
boot::Packet asked_again(const std::string& frame, const std::string& to, std::uint16_t port,
                         bool with_address = true) {
    boot::Packet packet = packet_of(frame);
    packet.from = {with_address ? boot::Address::v4(0x0A4D0032) : boot::Address{}, 4011};
    packet.to = {to == "us"      ? boot::Address::v4(0x0A4D0003)
                 : to == "group" ? boot::Address::v4(0xE0000102)
                 : to == "all"   ? boot::Address::v4(0xFFFFFFFF)
                                 : boot::Address::v4(0x0A4D0001),
                 port};
    return packet;
}

TEST_CASE("iPXE's search is answered, before whoever else answers it") {
    boot::Packet search = packet_of(dhcp(true, 1, as_ipxe));
    std::get<boot::DhcpMessage>(search.body).xid = 7;
    const auto offer = due(search);
    REQUIRE(offer);
    CHECK(offer->xid == 7);
    CHECK(offer->client == guest);
    CHECK(offer->server == std::array<std::uint8_t, 4>{10, 77, 0, 3});
    CHECK(offer->bootfile == "http://10.77.0.3:40000/boot.ipxe");
    CHECK(offer->priority == 127);
}

// Firmware's own PXE and operating systems are the network's affair.
TEST_CASE("nobody else's search is answered, and nothing else of iPXE's") {
    const boot::Packet search = packet_of(dhcp(true, 1, as_ipxe));
    CHECK(due(search));
    CHECK_FALSE(due(search, 0));
    CHECK_FALSE(due(packet_of(dhcp(true, 1, option(60, "PXEClient:Arch:00007")))));
    CHECK_FALSE(due(packet_of(dhcp(true, 1, option(60, "udhcp 1.36")))));
    CHECK_FALSE(due(packet_of(dhcp(true, 3, as_ipxe))));
    CHECK_FALSE(due(packet_of(dhcp(false, 1, as_ipxe))));
    boot::Packet twin = search;
    twin.came_in = true;
    CHECK_FALSE(due(twin));
    boot::Packet other = search;
    std::get<boot::DhcpMessage>(other.body).chaddr = Mac{2, 0, 0, 0, 0, 9};
    CHECK_FALSE(due(other));
    boot::Timeline timeline{watched};
    timeline.packet(1, 1, search);
    CHECK(OwnOffer{std::nullopt, watched}.due(1, search, timeline.current_boot()).empty());
    CHECK_FALSE(OwnOffer{std::nullopt, watched}.nic());
    CHECK_FALSE(OwnOffer{service, {}}.nic());
    CHECK(OwnOffer{service, watched}.nic() == 1);
}

// edk2 takes the first that has discovery control, or asks the other's server (netserve/proxy_offer.h).
TEST_CASE("the firmware's PXE client is offered its program in both ways, and iPXE after it the script") {
    const auto offers = all_due(for_firmware, packet_of(dhcp(true, 1, as_pxe)));
    REQUIRE(offers.size() == 2);
    CHECK(offers[0].discovery);
    CHECK_FALSE(offers[1].discovery);
    for (const auto& offer : offers) {
        CHECK(offer.bootfile == "snponly.efi");
        CHECK(offer.vendor_class == "PXEClient");
        CHECK_FALSE(offer.priority);
        CHECK_FALSE(offer.answers);
    }
    const auto script = all_due(for_firmware, packet_of(dhcp(true, 1, as_ipxe)));
    REQUIRE(script.size() == 1);
    CHECK(script[0].bootfile == "http://10.77.0.3:40000/boot.ipxe");
}

TEST_CASE("the firmware's options go with each of its offers and answers, and iPXE's with iPXE's") {
    OwnService with_options = for_firmware;
    with_options.options = {{209, false, "for-ipxe"}, {83, true, "x"}};
    with_options.firmware->options = {{209, false, "for-firmware"}};
    for (const auto& offer : all_due(with_options, packet_of(dhcp(true, 1, as_pxe)))) {
        CHECK(offer.options == with_options.firmware->options);
    }
    const auto answers = all_due(with_options, asked_again(dhcp(true, 3, as_pxe), "us", 4011));
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].options == with_options.firmware->options);
    CHECK(all_due(with_options, packet_of(dhcp(true, 1, as_ipxe))).front().options == with_options.options);
}

// There its boot server would be QEMU, which is none.
TEST_CASE("in user mode the firmware is offered nothing that it would have to ask about") {
    OwnService in_user_mode = for_firmware;
    in_user_mode.in_user_mode = true;
    const auto offers = all_due(in_user_mode, packet_of(dhcp(true, 1, as_pxe)));
    REQUIRE(offers.size() == 1);
    CHECK(offers[0].discovery);
}

TEST_CASE("the firmware is offered what its other client would fetch by no means") {
    CHECK(all_due(for_firmware, packet_of(dhcp(true, 1, as_http))).empty());
    OwnService by_http = for_firmware;
    by_http.firmware = {"http://10.77.0.3:40000/snponly.efi", true};
    CHECK(all_due(by_http, packet_of(dhcp(true, 1, as_pxe))).empty());
    const auto offers = all_due(by_http, packet_of(dhcp(true, 1, as_http)));
    REQUIRE(offers.size() == 1);
    CHECK(offers[0].vendor_class == "HTTPClient");
    CHECK(offers[0].bootfile == "http://10.77.0.3:40000/snponly.efi");
    CHECK_FALSE(offers[0].discovery);
}

TEST_CASE("a loader that goes on by itself leaves nothing for iPXE") {
    OwnService loader = for_firmware;
    loader.bootfile.clear();
    CHECK(all_due(loader, packet_of(dhcp(true, 1, as_pxe))).size() == 2);
    CHECK(all_due(loader, packet_of(dhcp(true, 1, as_ipxe))).empty());
}

// Which comes to nobody else (net::KeepDatagrams).
TEST_CASE("a question at port 4011 is answered to the firmware, whomever it asks") {
    for (const std::string asked : {"us", "another"}) {
        boot::Timeline timeline{watched};
        timeline.packet(1, 1, packet_of(dhcp(true, 1, as_pxe)));
        const boot::Packet request = asked_again(dhcp(true, 3, as_pxe), asked, 4011);
        timeline.packet(2, 1, request);
        const auto answers = OwnOffer{for_firmware, watched}.due(1, request, timeline.current_boot());
        REQUIRE(answers.size() == 1);
        REQUIRE(answers[0].answers);
        CHECK(answers[0].answers->to == serve::UdpEnd{{10, 77, 0, 50}, 4011});
        CHECK(answers[0].answers->from ==
              serve::UdpEnd{{10, 77, 0, static_cast<std::uint8_t>(asked == "us" ? 3 : 1)}, 4011});
        CHECK(answers[0].bootfile == "snponly.efi");
        const boot::Packet nobody = asked_again(dhcp(true, 3, as_pxe), asked, 4011, false);
        CHECK(OwnOffer{for_firmware, watched}.due(1, nobody, timeline.current_boot()).empty());
    }
}

TEST_CASE("a question to a multicast group is answered by us, from our own address") {
    boot::Timeline timeline{watched};
    timeline.packet(1, 1, packet_of(dhcp(true, 1, as_pxe)));
    const boot::Packet request = asked_again(dhcp(true, 3, as_pxe), "group", 4011);
    const auto answers = OwnOffer{for_firmware, watched}.due(1, request, timeline.current_boot());
    REQUIRE(answers.size() == 1);
    REQUIRE(answers[0].answers);
    CHECK(answers[0].answers->from == serve::UdpEnd{{10, 77, 0, 3}, 4011});
}

TEST_CASE("what became of the offers is told") {
    OwnOffer offer{for_firmware, watched};
    CHECK(offer.text() ==
          "net1's firmware looked for no address, so that nothing of vm-launch's was offered to it");
    offer.was_sent(false);
    CHECK(offer.text() == "net1's firmware was offered nothing of vm-launch's: its link took no such frame");
    offer.was_sent(true);
    CHECK(offer.text() == for_firmware.told);
}

TEST_CASE("a DHCPINFORM is answered where it asks us or everybody") {
    const auto answered = [](const std::string& to) {
        return all_due(for_firmware, asked_again(dhcp(true, 8, as_pxe), to, 67));
    };
    REQUIRE(answered("all").size() == 1);
    CHECK(answered("all")[0].answers->from == serve::UdpEnd{{10, 77, 0, 3}, 67});
    CHECK(answered("us").size() == 1);
    CHECK(answered("another").empty());
    CHECK(all_due(for_firmware, asked_again(dhcp(true, 3, as_pxe), "us", 67)).empty());
}

// The view is a socket of datagrams here, one a frame.
struct Connections {
    Connections() {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
        all.emplace(OwnedFd{ends[0]}, guest);
        wire.reset(ends[1]);
    }
    void see(const std::string& frame) const {
        REQUIRE(::send(wire.get(), frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size()));
    }
    [[nodiscard]] bool has(std::uint16_t port) { return all->take({{10, 0, 0, 2}, port}); }

    OwnedFd wire;
    std::optional<GuestConnections> all;
};

TEST_CASE("a connection whose first segment the guest has sent is the guest's") {
    Connections connections;
    CHECK_FALSE(connections.has(5000));
    connections.see(tcp(true, 5000, 40000, 100, syn));
    connections.see(tcp(true, 5000, 40000, 100, syn));
    CHECK(connections.has(5000));
    CHECK_FALSE(connections.has(5000));  // which may be somebody else by now, with the same address and port
    connections.see(tcp(true, 5000, 40000, 100, syn));
    CHECK(connections.has(5000));
    CHECK_FALSE(connections.has(5001));
    CHECK_FALSE(connections.all->take({{10, 0, 0, 3}, 5000}));
}

TEST_CASE("another sender's segment, another protocol's packet and no packet make none the guest's") {
    Connections connections;
    std::string of_another = tcp(true, 5000, 40000, 100, syn);
    of_another.replace(6, 6, std::string{server.begin(), server.end()});
    connections.see(of_another);
    connections.see(udp(true, 5000, 40000, "x"));
    connections.see("x");
    CHECK_FALSE(connections.has(5000));
}

TEST_CASE("of very many connections the latest are remembered") {
    Connections connections;
    for (unsigned port = 1; port <= GuestConnections::most + 1; ++port) {
        connections.see(tcp(true, port, 40000, 100, syn));
        CHECK_FALSE(connections.has(60000));  // which looks
    }
    CHECK_FALSE(connections.has(1));
    CHECK(connections.has(2));
    CHECK(connections.has(GuestConnections::most + 1));
}

}  // namespace
}  // namespace vml
