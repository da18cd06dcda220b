// The probe of a network: who answered, what that means, and that it is none of the guest's own talk.
#include <string>
#include <vector>

#include "bootwatch/probe.h"
#include "bootwatch/report.h"
#include "tests/unit/bootwatch_machine.h"
#include "tests/unit/catch.h"

namespace vml::boot {
namespace {

using namespace test;

constexpr std::uint32_t other_xid = 0x7A7A7A7A;

Packet packet_of(const std::string& frame, std::uint32_t xid) {
    auto packet = decode_frame(bytes_of(frame));
    REQUIRE(packet);
    std::get<DhcpMessage>(packet->body).xid = xid;
    return *packet;
}

Packet answer(const std::string& options, std::uint32_t address, const std::string& by,
              std::uint32_t xid = other_xid) {
    Packet packet = packet_of(dhcp(false, 2, options, address), xid);
    packet.from.address = Address::v4(by == "second" ? 0x0A000003 : 0x0A000001);
    return packet;
}

Probe asked() {
    Probe probe{"net0"};
    probe.question.xid = other_xid;
    probe.question.chaddr = guest;
    probe.question.vendor_class = "PXEClient:Arch:00000:UNDI:002001";
    probe.question.user_class = "iPXE";
    probe.question.client_arch = std::uint16_t{0};
    probe.question.options = {53, 60, 77, 93};
    probe.sent = 1;
    return probe;
}

TEST_CASE("an answer to a probe is told by its number and its address") {
    Probe probe = asked();
    CHECK(belongs_to(probe, answer("", guest_ip, "first")));
    CHECK_FALSE(belongs_to(probe, answer("", guest_ip, "first", other_xid + 1)));
    Probe other = asked();
    other.question.chaddr = Mac{2, 0, 0, 0, 0, 1};
    CHECK_FALSE(belongs_to(other, answer("", guest_ip, "first")));
    CHECK(belongs_to(probe, packet_of(dhcp(true, 1, as_ipxe), other_xid)));  // the question itself
    CHECK_FALSE(add_answer(probe, 1, packet_of(dhcp(true, 1, as_ipxe), other_xid)));
    CHECK_FALSE(add_answer(probe, 1, packet_of(dhcp(false, 6, ""), other_xid)));  // a NAK offers nothing
}

TEST_CASE("each server counts once, and what all offer is told in sentences") {
    Probe probe = asked();
    CHECK(answer_lines(probe).empty());
    CHECK(add_answer(probe, 0.1, answer(option(67, "boot.ipxe"), guest_ip, "first")));
    CHECK_FALSE(add_answer(probe, 0.2, answer(option(67, "boot.ipxe"), guest_ip, "first")));
    CHECK(has_address(probe));
    REQUIRE(answer_lines(probe).size() == 1);
    CHECK(contains(answer_lines(probe)[0], "10.0.0.1 offers 10.0.0.2, file boot.ipxe"));
    CHECK(contains(answer_lines(probe)[0], "67"));
    CHECK(add_answer(probe, 0.3, answer(option(67, "other.ipxe"), guest_ip + 1, "second")));
    const auto lines = answer_lines(probe);
    REQUIRE(lines.size() == 4);
    CHECK(
        contains(lines[2], "2 servers offer an address, and a client takes one of them: 10.0.0.1, 10.0.0.3"));
    CHECK(lines[3] == "2 servers name a file: boot.ipxe by 10.0.0.1, other.ipxe by 10.0.0.3");
}

TEST_CASE("ProxyDHCP beside DHCP is no second server of addresses, and alone none") {
    Probe probe = asked();
    CHECK(add_answer(probe, 0.1, answer(option(60, "PXEClient") + option(67, "x"), 0, "second")));
    CHECK_FALSE(has_address(probe));
    REQUIRE(answer_lines(probe).size() == 2);
    CHECK(contains(answer_lines(probe)[0], "10.0.0.3 offers no address, as ProxyDHCP, file x"));
    CHECK(contains(answer_lines(probe)[1], "nobody offers an address"));
    CHECK(add_answer(probe, 0.2, answer("", guest_ip, "first")));
    CHECK(answer_lines(probe).size() == 2);
}

TEST_CASE("what differs in the guest's own question") {
    DhcpTalk talk;
    talk.vendor_class = "PXEClient:Arch:00000:UNDI:002001";
    talk.user_class = "iPXE";
    talk.client_arch = std::uint16_t{0};
    talk.options = {53, 60, 77, 93};
    CHECK(difference_text(asked(), talk).empty());
    talk.options.push_back(97);
    CHECK(difference_text(asked(), talk) == "it has option 97 too");
    talk.user_class.clear();
    talk.client_arch = std::uint16_t{7};
    CHECK(difference_text(asked(), talk) ==
          "option 77 is none, not iPXE; option 93 is 7, not 0; it has option 97 too");
    Probe more = asked();
    more.question.options = {53, 60, 61, 77, 93, 12};
    CHECK(
        difference_text(more, talk) ==
        "option 77 is none, not iPXE; option 93 is 7, not 0; it has option 97 too; it lacks options 61, 12");
}

Probe answered() {
    Probe probe = asked();
    add_answer(probe, 0, answer(option(67, "boot.ipxe"), guest_ip, "first"));
    return probe;
}

TEST_CASE("no offer to the guest, and one to the probe, is another fault than none at all") {
    Machine machine;
    machine.timeline.probed(answered());
    machine.discovers().discovers().stops();
    machine.gets(ExitCode::no_offer,
                 "no DHCP server answered the guest, and one answers vm-launch's own probe",
                 "10.0.0.1 had offered 10.0.0.2", "firewall");
    Machine nobody;
    nobody.timeline.probed(asked());
    nobody.discovers().stops();
    nobody.gets(ExitCode::no_offer, "no DHCP server answered", "nor did one answer vm-launch's own probe");
    Machine none;
    none.discovers().stops();
    CHECK_FALSE(contains(none.verdict().why, "probe"));
}

// A router's, to all nodes.
void advertise(Machine& machine) {
    auto packet = decode_frame(bytes_of(ethernet(false, 0x88CC, "lldp")));
    REQUIRE(packet);
    packet->target = Mac{0x33, 0x33, 0, 0, 0, 1};
    packet->from.address.v6 = true;
    packet->from.address.bytes = {0xFE, 0x80};
    packet->body = RouterAdvertisement{1800, true, false};
    machine.timeline.packet(machine.at += 0.1, 0, *packet);
}

TEST_CASE("an IPv6 router beside it does not make the guest's fault the network's") {
    Machine machine;
    machine.timeline.probed(answered());
    machine.discovers();
    advertise(machine);
    machine.discovers().stops();
    machine.gets(ExitCode::no_offer, "one answers vm-launch's own probe", "10.0.0.1 had offered 10.0.0.2");
    Machine nobody;
    nobody.timeline.probed(asked());
    nobody.discovers();
    advertise(nobody);
    nobody.stops();
    nobody.gets(ExitCode::no_offer, "no DHCPv4 server answered on a network with IPv6", "advertised itself");
}

TEST_CASE("what came in over the link is told with the probe's answers, which came in too") {
    Machine machine;
    machine.about.wire = true;
    machine.discovers().stops();
    CHECK(contains(machine.verdict().why, "nothing at all came in over the guest's link"));
    machine.timeline.probed(answered());
    const Fault fault = machine.verdict();
    CHECK_FALSE(contains(fault.why, "nothing at all"));
    CHECK(contains(fault.why, "nothing but answers to vm-launch's own probe came in"));
    Machine down;
    down.discovers().stops();
    down.timeline.probed(answered());
    Boot boot = down.timeline.boot();
    boot.link_down = true;
    CHECK(contains(judge({boot}, down.about).what, "answers vm-launch's own probe"));
    boot.probe->offers.clear();
    CHECK(contains(judge({boot}, down.about).what, "link"));
}

TEST_CASE("a guest whom ProxyDHCP alone answers is told from a network without addresses") {
    Machine machine;
    machine.timeline.probed(answered());
    machine.discovers().see(dhcp(false, 2, option(60, "PXEClient") + option(67, "x"))).stops();
    machine.gets(ExitCode::no_offer, "one answers vm-launch's own probe",
                 "only a ProxyDHCP server answered iPXE: 10.0.0.1; to the same question");
    machine.timeline.probed(asked());
    machine.gets(ExitCode::no_offer, "no DHCP server offered an address", "only a ProxyDHCP server answered");
}

// A path that loses frames for addresses that it does not know gives the same.
TEST_CASE("a guest who asks for an answer to itself may lose it on the way") {
    const auto hint_of = [](const std::string& question) {
        Machine machine;
        machine.timeline.probed(answered());
        machine.see(question).see(question).stops();
        return machine.verdict().hint;
    };
    const std::string to_itself = dhcp(true, 1, as_ipxe + option(93, be16(0)));
    CHECK(contains(hint_of(to_itself), "drop frames for addresses that it does not know"));
    constexpr std::size_t flags = 14 + 20 + 8 + 10;
    std::string to_all = to_itself;
    to_all[flags] = '\x80';
    CHECK_FALSE(contains(hint_of(to_all), "drop frames"));
    CHECK_FALSE(contains(hint_of(to_all), "nic-model"));
}

TEST_CASE("a probe says nothing of another NIC, of an earlier boot, or of a guest that was answered") {
    Machine elsewhere;
    Probe probe = answered();
    probe.nic = "net1";
    elsewhere.timeline.probed(probe);
    elsewhere.discovers().stops();
    CHECK_FALSE(contains(elsewhere.verdict().what, "probe"));
    Machine again;
    again.timeline.probed(answered());
    again.timeline.reset(again.at += 1);
    again.says("SeaBIOS (version 1)").discovers().stops();
    CHECK_FALSE(contains(again.verdict().what, "probe"));
    Machine healthy;
    healthy.timeline.probed(answered());
    healthy.has_address("").stops();
    healthy.gets(ExitCode::nothing_to_boot, "named nothing to boot", "option 67");
}

TEST_CASE("a report tells whose each answer was") {
    Machine machine;
    machine.timeline.probed(answered());
    machine.see(dhcp(true, 1, as_ipxe));
    auto own = decode_frame(bytes_of(dhcp(false, 2, option(67, "http://10.0.0.3:4000/boot.ipxe"))));
    REQUIRE(own);
    own->ours = true;
    machine.timeline.packet(1.5, 0, *own);
    machine.timeline.packet(7.5, 0, *own);  // the next search's
    machine.see(dhcp(false, 2, "", guest_ip)).see(dhcp(true, 3, as_ipxe)).see(dhcp(false, 5, "", guest_ip));
    machine.http("/k", "x");
    ReportHead head;
    head.own_url = "http://h/";
    const auto report = report_as_json(head, machine.timeline.boots());
    const auto& boot = report["boots"][0];
    CHECK(boot["probe"]["offers"][0]["server"] == "10.0.0.1");
    CHECK(boot["probe"]["user_class"] == "iPXE");
    CHECK(boot["dhcp"][0]["discovers"] == 1);
    CHECK(boot["dhcp"][0]["offers"].size() == 1);
    CHECK(boot["dhcp"][0]["own_offer"]["at"] == 1.5);  // iPXE keeps the first
    CHECK(boot["fetches"][0]["by_vm_launch"] == true);
    const std::string page = report_as_html(head, machine.timeline.boots());
    for (const std::string words : {"vm-launch's own probe", "vm-launch's own offer",
                                    "by vm-launch: ", "own probe of the network found"}) {
        INFO(words);
        CHECK(contains(page, words));
    }
    head.own_url.clear();
    CHECK(report_as_json(head, machine.timeline.boots())["boots"][0]["fetches"][0]["by_vm_launch"] == false);
}

}  // namespace
}  // namespace vml::boot
