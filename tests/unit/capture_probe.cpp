// vm-launch's own probe of a network in a capture: it is no boot, and no part of one.
#include "capture/probes.h"
#include "netserve/discover.h"
#include "tests/unit/capture_frames.h"

namespace vml::capture::test {
namespace {

constexpr std::uint32_t number = 0x564C1234;

// As `run` and `doctor` send it.
std::string question(std::uint32_t xid = number) {
    return serve::discover(
        {xid, guest, 0, "PXEClient:Arch:00000:UNDI:002001", "iPXE", "00112233-4455-5677-8899-aabbccddeeff"});
}

std::string answer_to(std::uint32_t xid) {
    return of_xid(dhcp(false, 2, option(54, be32(server_ip)) + option(67, "boot.ipxe"), guest_ip), xid);
}

TEST_CASE("the probe's offer is none of the guest's, who got none") {
    Wire wire;
    wire.see(question()).see(answer_to(number)).wait(5);
    for (int i = 0; i < 3; ++i) {
        wire.see(of_xid(dhcp(true, 1, as_ipxe), 7)).wait(2);
    }
    wire.ends_later(10);
    wire.gets(ExitCode::no_offer, "no DHCP server answered", "3 DISCOVERs");
    const CapturedBoot boot = wire.boot();
    REQUIRE(boot.record.dhcp.size() == 1);
    CHECK(boot.record.dhcp[0].offers.empty());
    CHECK(boot.view.unasked.empty());
    CHECK(boot.record.dhcp[0].began == 0);
    const Explanation explanation = wire.explained();
    CHECK(contains(as_text(explanation), "; 2 DHCP frames of vm-launch's own probe of the network"));
    CHECK(as_json(explanation)["frames"]["probe"] == 2);
}

TEST_CASE("a probe alone is no machine that boots, and is told") {
    Wire wire;
    wire.see(question()).see(answer_to(number)).wait(2).see(question());
    const Explanation explanation = wire.explained();
    CHECK(explanation.machines.empty());
    const auto fault = no_machine_in(explanation);
    REQUIRE(fault);
    CHECK(contains(fault->why, "3 DHCP frames of vm-launch's own probe"));
}

TEST_CASE("a machine whose number looks like a probe's is a machine") {
    Wire wire;
    wire.gets_address(as_ipxe, "http://10.0.0.1/boot.ipxe", number).ends_later(1);
    CHECK(wire.boot().record.dhcp[0].offers.size() == 1);
    CHECK(wire.explained().counts.probe == 0);
    CHECK_FALSE(contains(as_text(wire.explained()), "probe"));
}

TEST_CASE("an answer of a probe's number is the probe's, unless a client of the machine's asked by it") {
    Probes probes;
    const auto message = [](const std::string& frame) {
        return std::get<boot::DhcpMessage>(boot::decode_frame(bytes_of(frame))->body);
    };
    CHECK(probes.takes(message(answer_to(number))));  // its question was before the capture
    CHECK(probes.takes(message(question())));
    boot::DhcpMessage own = message(question());
    own.xid = number + 1;
    own.options = {53, 57, 93};
    CHECK_FALSE(probes.takes(own));
    CHECK_FALSE(probes.takes(message(answer_to(number + 1))));
    CHECK(probes.takes(message(answer_to(number))));
    own.options = {53, 97, 94, 93};
    own.xid = number + 2;
    own.cut = true;
    CHECK(probes.takes(own));
    own.cut = false;
    CHECK_FALSE(probes.takes(own));
}

}  // namespace
}  // namespace vml::capture::test
