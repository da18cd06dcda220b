// Which offers are repeated to the guest's iPXE.
#include <array>
#include <cstdint>
#include <string>

#include "launcher/watch/offer_repeat.h"
#include "tests/unit/bootwatch_frames.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

using namespace boot::test;

OfferRepeat offer_repeat() {
    return OfferRepeat{{"net0"}, {{"net0", guest}, {"net1", Mac{2, 0, 0, 0, 0, 1}}}};
}

boot::Boot asking_boot(boot::Client client, const std::string& nic = "net0") {
    boot::Boot boot;
    boot::DhcpTalk talk;
    talk.client = client;
    talk.nic = nic;
    boot.dhcp.push_back(talk);
    return boot;
}

boot::DhcpMessage offer_to_guest() {
    boot::DhcpMessage offer;
    offer.kind = boot::DhcpKind::offer;
    offer.from_server = true;
    offer.xid = 7;
    offer.chaddr = guest;
    offer.yours = boot::Address::v4(0x0A00020F);
    offer.next_server = boot::Address::v4(0x0A000202);
    offer.bootfile = "http://10.0.2.2:8080/boot.ipxe";
    return offer;
}

TEST_CASE("what iPXE is offered is repeated as a ProxyDHCP server's") {
    boot::Packet packet;
    packet.body = offer_to_guest();
    const auto repeated = offer_repeat().repeated(0, packet, asking_boot(boot::Client::ipxe));
    REQUIRE(repeated);
    CHECK(repeated->xid == 7);
    CHECK(repeated->client == guest);
    CHECK(repeated->server == std::array<std::uint8_t, 4>{10, 0, 2, 2});
    CHECK(repeated->bootfile == "http://10.0.2.2:8080/boot.ipxe");
    CHECK(offer_repeat().text(0, 0.5).find("to net0") != std::string::npos);
}

// Firmware's own PXE and operating systems take an offer as it comes.
TEST_CASE("an offer is not repeated to another client, over another NIC, or where it names nothing") {
    const auto repeats = [](const boot::DhcpMessage& offer, const boot::Boot& boot, std::size_t nic = 0) {
        boot::Packet packet;
        packet.body = offer;
        return offer_repeat().repeated(nic, packet, boot).has_value();
    };
    const boot::Boot boot = asking_boot(boot::Client::ipxe);
    CHECK(repeats(offer_to_guest(), boot));
    CHECK_FALSE(repeats(offer_to_guest(), asking_boot(boot::Client::firmware)));
    CHECK_FALSE(repeats(offer_to_guest(), asking_boot(boot::Client::other)));
    CHECK_FALSE(repeats(offer_to_guest(), asking_boot(boot::Client::ipxe, "net1")));
    CHECK_FALSE(repeats(offer_to_guest(), asking_boot(boot::Client::ipxe, "net1"), 1));  // not one of those
    CHECK_FALSE(repeats(offer_to_guest(), boot::Boot{}));
    boot::DhcpMessage other = offer_to_guest();
    other.bootfile.clear();
    CHECK_FALSE(repeats(other, boot));
    other = offer_to_guest();
    other.yours = {};  // a ProxyDHCP server's own
    CHECK_FALSE(repeats(other, boot));
    other = offer_to_guest();
    other.kind = boot::DhcpKind::ack;
    CHECK_FALSE(repeats(other, boot));
    other = offer_to_guest();
    other.chaddr = Mac{2, 0, 0, 0, 0, 9};
    CHECK_FALSE(repeats(other, boot));
}

}  // namespace
}  // namespace vml
