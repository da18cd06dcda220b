// A second machine with the guest's MAC address.
#include "bootwatch/hints.h"
#include "tests/unit/bootwatch_machine.h"

namespace vml::boot::test {
namespace {

Packet from_elsewhere(const std::string& frame) {
    Packet packet = decode_frame(bytes_of(frame)).value();
    packet.came_in = true;
    return packet;
}

TEST_CASE("a boot that fails beside a machine with its address says so first") {
    Machine machine;
    machine.discovers();
    machine.timeline.packet(machine.at += 0.1, 0, from_elsewhere(arp_request(server_ip)));
    machine.discovers().stops();
    machine.gets(ExitCode::no_offer, "no DHCP server answered", "52:54:00:00:00:01 came in from the network",
                 "--mac");
    CHECK(contains(machine.verdict().hint, "br0"));  // what the verdict itself advises
}

TEST_CASE("what another machine with the guest's address asks for is not the guest's") {
    Machine machine;
    machine.discovers();
    for (int i = 0; i < 100; ++i) {
        machine.timeline.packet(machine.at += 0.1, 0, from_elsewhere(dhcp(true, 1, as_ipxe)));
    }
    const Boot& boot = machine.timeline.boot();
    CHECK(boot.dhcp.front().discovers == 1);
    CHECK(boot.guest_frames == 1);
    REQUIRE(boot.twins.size() == 1);
    CHECK(boot.twins.front().nic == "net0");
    CHECK(boot.twins.front().mac == guest);
    CHECK(boot.twins.front().at < 1.3);  // the first
}

TEST_CASE("once a kernel runs its addresses are its own affair") {
    Machine machine;
    machine.has_address().says("Linux version 6.1.0 (x)");
    machine.timeline.packet(machine.at += 0.1, 0, from_elsewhere(arp_request(server_ip)));
    CHECK(machine.timeline.boot().twins.empty());
    Machine panicked;
    panicked.has_address();
    panicked.timeline.packet(panicked.at += 0.1, 0, from_elsewhere(arp_request(server_ip)));
    panicked.says("Linux version 6.1.0 (x)").says("Kernel panic - not syncing: VFS: Unable to mount root fs");
    CHECK_FALSE(contains(panicked.verdict().why, "came in from the network"));
}

TEST_CASE("a boot alone on its network has no twin") {
    Machine machine;
    machine.discovers().stops();
    CHECK_FALSE(contains(machine.verdict().why, "came in from the network"));
}

}  // namespace
}  // namespace vml::boot::test
