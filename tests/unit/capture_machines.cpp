// Which machine a frame is of, and which boot.
#include "tests/unit/capture_frames.h"

namespace vml::capture::test {
namespace {

using boot::Client;

std::string of_other_machine(std::string frame, std::size_t place, const std::string& chaddr_also = {}) {
    const std::string mac = text_of(Mac{0x52, 0x54, 0, 0, 0, 2});
    frame.replace(place, 6, mac);
    return chaddr_also.empty() ? frame : frame.replace(14 + 20 + 8 + 28, 6, mac);
}

TEST_CASE("VLAN tags are stripped, and told") {
    for (const std::string& tags :
         {be16(0x8100) + be16(12), be16(0x88A8) + be16(7) + be16(0x8100) + be16(12)}) {
        Wire wire;
        wire.see(tagged(dhcp(true, 1, as_firmware), tags))
            .see(tagged(dhcp(false, 2, option(54, be32(server_ip)) + option(67, "n"), guest_ip), tags))
            .see(tagged(dhcp(true, 3, as_firmware), tags))
            .see(tagged(dhcp(false, 5, option(54, be32(server_ip)) + option(67, "n"), guest_ip), tags))
            .see(tagged(udp(true, 2001, 69, request("n")), tags))
            .see(tagged(udp(false, 3000, 2001, be16(3) + be16(1) + nbp), tags))
            .ends_later(20);
        wire.gets(ExitCode::ok, "gave all");
        CHECK(contains(as_text(wire.explained()), ", VLAN 12\n"));
    }
}

TEST_CASE("behind a relay a machine is told by chaddr, then by its address") {
    Wire wire;
    const std::uint32_t relay = 0x0A090001;
    const std::string answer = option(54, be32(server_ip)) + option(67, "n.0");
    wire.see(routed(through_relay(dhcp(true, 1, as_firmware), relay), true))
        .see(routed(through_relay(dhcp(false, 2, answer, guest_ip), relay), false))
        .see(routed(through_relay(dhcp(true, 3, as_firmware), relay), true))
        .see(routed(through_relay(dhcp(false, 5, answer, guest_ip), relay), false))
        .see(routed(udp(true, 2001, 69, request("n.0")), true))
        .see(routed(udp(false, 3000, 2001, be16(5) + be16(1) + "no"), false))
        .ends_later(1);
    wire.gets(ExitCode::fetch_failed, "n.0");
    const std::string text = as_text(wire.explained());
    CHECK(contains(text, "machine 52:54:00:00:00:01, BIOS, behind the relay 10.9.0.1"));
    CHECK(contains(text, "named by   10.0.0.1 (DHCP): n.0"));
}

TEST_CASE("behind a router that is a machine itself, a lease tells whose frame it is") {
    Wire wire;
    const auto of = [](std::string frame, std::uint32_t address) {
        return frame.replace(14 + 12, 4, be32(address));
    };
    wire.see(of(routed(udp(true, 2001, 69, request("startup")), true), 0x0A0000FE));
    const std::string answer = option(54, be32(server_ip)) + option(67, "n.0");
    for (const unsigned kind : {1U, 2U, 3U, 5U}) {
        const bool from_guest = kind % 2 == 1 && kind != 5;
        wire.see(
            routed(through_relay(
                       from_guest ? dhcp(true, kind, as_firmware) : dhcp(false, kind, answer, guest_ip), 7),
                   from_guest));
    }
    wire.see(routed(udp(true, 2002, 69, request("n.0")), true))
        .see(routed(udp(false, 3000, 2002, be16(5) + be16(1) + "no"), false))
        .ends_later(20);
    const Explanation all = wire.explained();
    REQUIRE(all.machines.size() == 2);
    CHECK(all.machines[1].mac == guest);
    CHECK(contains(all.machines[1].boots.back().verdict.what, "n.0"));
    CHECK_FALSE(contains(all.machines[0].boots.back().verdict.what, "n.0"));
}

TEST_CASE("an address that a host gets which does not boot is a machine's no more") {
    for (const bool passes_on : {false, true}) {
        Wire wire;
        wire.gets_address(as_firmware, "n.0").tftp("n.0", nbp);
        if (passes_on) {
            std::string ask = of_other_machine(dhcp(true, 3, as_system), 6, "too");
            std::string ack =
                of_other_machine(dhcp(false, 5, option(54, be32(server_ip)), guest_ip), 0, "too");
            wire.see(ask).see(ack);
        }
        wire.wait(60).see(routed(udp(true, 2002, 69, request("x")), true).replace(6, 6, "\2\0\0\0\0\5", 6));
        const auto fetches = wire.explained().machines.front().boots.back().record.fetches.size();
        CHECK(fetches == (passes_on ? 1 : 2));
    }
}

TEST_CASE("a copy of a frame of IPv6 or ARP is no second question") {
    Wire wire;
    std::string copy = dhcp6(true, 1, option6(61, be16(7)));
    wire.see(copy);
    copy[14 + 7] = '\x3f';  // the hop limit
    wire.see(copy);
    CHECK(wire.machines.counts().repeated == 1);
    wire.see(arp_request(1)).see(arp_request(1));
    CHECK(wire.machines.counts().repeated == 2);
}

TEST_CASE("a clock that goes back leaves what follows later than what was before") {
    Wire wire;
    wire.see(dhcp(true, 1, as_firmware)).wait(-3600);
    for (int i = 0; i < 3; ++i) {
        wire.wait(4).see(of_xid(dhcp(true, 1, as_firmware), 1));
    }
    wire.ends_later(30).gets(ExitCode::no_offer, "no DHCP server answered");
    CHECK(contains(as_text(wire.explained()), "the clock went back by 359"));
}

TEST_CASE("one machine alone is kept where it is picked, wherever it stands among how many") {
    Wire wire;
    wire.machines = Machines{guest};
    for (unsigned i = 0; i < Machines::most_machines + 5; ++i) {
        std::string frame = dhcp(true, 1, as_firmware);
        frame[6 + 4] = frame[14 + 20 + 8 + 28 + 4] = static_cast<char>(1 + (i >> 4U));
        frame[6 + 5] = frame[14 + 20 + 8 + 28 + 5] = static_cast<char>(i & 15U);
        wire.see(frame);
    }
    wire.see(dhcp(true, 1, as_firmware));
    REQUIRE(wire.explained().machines.size() == 1);
    CHECK(wire.explained().machines.front().mac == guest);
    CHECK(wire.machines.other_machines().size() == Machines::most_machines + 5);
    CHECK(wire.machines.other_hosts() == 0);
    CHECK(wire.machines.counts().dhcp == 0);
}

TEST_CASE("a message that is there twice is one: of the machine and of its relay, or of two ports") {
    Wire wire;
    wire.see(dhcp(true, 1, as_firmware)).see(routed(through_relay(dhcp(true, 1, as_firmware), 7), true));
    wire.see(dhcp(true, 1, as_firmware)).ends_later(20);
    CHECK(wire.boot().record.dhcp.front().discovers == 1);
}

TEST_CASE("cooked captures and raw IP") {
    const auto cooked = [](const std::string& frame, LinkLayer link) {
        const std::string sender = frame.substr(6, 6) + be16(0);
        const std::string type = frame.substr(12, 2);
        return (link == LinkLayer::linux_sll
                    ? be16(0) + be16(1) + be16(6) + sender + type
                    : type + be16(0) + be32(2) + be16(1) + std::string{"\0\6", 2} + sender) +
               frame.substr(14);
    };
    for (const LinkLayer link : {LinkLayer::linux_sll, LinkLayer::linux_sll2, LinkLayer::raw_ip}) {
        Wire wire;
        wire.link = link;
        const auto see = [&](const std::string& frame) {
            wire.see(link == LinkLayer::raw_ip ? frame.substr(14) : cooked(frame, link));
        };
        const std::string answer = option(54, be32(server_ip)) + option(67, "n.0");
        see(dhcp(true, 1, as_firmware));
        see(dhcp(false, 2, answer, guest_ip));
        see(dhcp(true, 3, as_firmware));
        see(dhcp(false, 5, answer, guest_ip));
        see(udp(true, 2001, 69, request("n.0")));
        see(udp(false, 3000, 2001, be16(3) + be16(1) + nbp));
        wire.wait(20);
        see(ethernet(false, 0x0806, ""));
        wire.gets(ExitCode::ok, "gave all", "n.0");
    }
}

TEST_CASE("two machines are told apart, and others are counted alone") {
    Wire wire;
    wire.gets_address(as_firmware, "n.0").no_tftp("n.0");
    wire.see(of_other_machine(dhcp(true, 1, as_firmware), 6, "too"));
    wire.see(of_other_machine(udp(true, 5000, 53, "dns"), 6));
    std::string laptop = of_other_machine(dhcp(true, 1, as_system), 6, "too");
    laptop[6 + 5] = laptop[14 + 20 + 8 + 28 + 5] = 3;
    wire.see(laptop).ends_later(30);
    const Explanation all = wire.explained();
    REQUIRE(all.machines.size() == 2);
    CHECK(all.machines[0].boots.back().verdict.code == ExitCode::fetch_failed);
    CHECK(all.machines[1].boots.back().verdict.code == ExitCode::no_offer);
    CHECK(exit_code_of(all) == 13);
    CHECK(all.other_hosts == 2);  // the server and the laptop
    CHECK(all.counts.dhcp == 1);
    const auto json = as_json(all);
    CHECK(json["machines"][1]["boots"][0]["verdict"]["code"] == 11);
    CHECK(json["machines"][0]["boots"][0]["format"] == "vm-launch-boot-report");
    const std::string page = as_html(all);
    CHECK(contains(page, "52:54:00:00:00:02"));
    CHECK(page.ends_with("</html>\n"));
}

TEST_CASE("a firmware that goes on to IPv6 after a failure, and is not answered there, has failed before") {
    const std::string solicit = dhcp6(true, 1, option6(61, be16(7)));
    Wire wire;
    wire.gets_address(as_firmware, "n.efi").no_tftp("n.efi");
    SECTION("at once") {
        wire.see(solicit).ends_later(30);
        const Explanation all = wire.explained();
        REQUIRE(all.machines.front().boots.size() == 2);
        CHECK(all.machines.front().boots.back().verdict.code == ExitCode::no_offer);
        CHECK(exit_code_of(all) == 13);
    }
    SECTION("as the capture ends") {
        wire.see(solicit);
        CHECK(exit_code_of(wire.explained()) == 13);
    }
    SECTION("by a reset") {
        wire.wait(20).see(solicit).ends_later(30);
        CHECK(exit_code_of(wire.explained()) == 11);
    }
    SECTION("and the same way again") {
        wire.see(dhcp(true, 1, as_firmware)).ends_later(30);
        CHECK(exit_code_of(wire.explained()) == 11);
    }
    SECTION("and gets an address alone") {
        wire.see(solicit).see(dhcp6(false, 7, address6)).ends_later(30);
        CHECK(exit_code_of(wire.explained()) == 13);
    }
    SECTION("and gets a file's name") {
        const std::string file = option6(59, "tftp://[fe80::1]/n.efi");
        wire.see(solicit).see(dhcp6(false, 7, address6 + file)).ends_later(30);
        CHECK(exit_code_of(wire.explained()) == 15);
    }
    SECTION("and by HTTP to IPv4, where it is offered what it does not take") {
        const std::string as_http = option(60, "HTTPClient:Arch:00016:UNDI:003001") + option(93, be16(16));
        const std::string offer = option(54, be32(server_ip)) + option(67, "n.efi");
        wire.see(solicit).wait(8).see(solicit).wait(20);
        wire.see(dhcp(true, 1, as_http)).see(dhcp(false, 2, offer, guest_ip)).ends_later(30);
        const Explanation all = wire.explained();
        CHECK(all.machines.front().boots.back().verdict.code == ExitCode::no_offer);
        CHECK(exit_code_of(all) == 13);
    }
}

TEST_CASE("a firmware that waited in vain for a server goes on once it has waited") {
    const std::string solicit = dhcp6(true, 1, option6(61, be16(7)));
    Wire wire;
    wire.gets_address(as_firmware, "n.efi");
    for (int i = 0; i < 6; ++i) {
        wire.see(udp(true, 2001, 69, request("n.efi"))).wait(4);
    }
    SECTION("at once then") {
        wire.see(solicit).ends_later(30);
        const Explanation all = wire.explained();
        REQUIRE(all.machines.front().boots.size() == 2);
        CHECK(all.machines.front().boots.front().verdict.code == ExitCode::fetch_failed);
        CHECK(exit_code_of(all) == 13);
    }
    SECTION("and one that was reset takes longer") {
        wire.wait(10).see(solicit).ends_later(30);
        CHECK(exit_code_of(wire.explained()) == 11);
    }
}

namespace {

std::string arp_reply(std::uint32_t address) {
    constexpr std::size_t operation = 14 + 6;
    constexpr std::size_t sender = 14 + 14;
    return arp_request(guest_ip).replace(operation, 2, be16(2)).replace(sender, 4, be32(address));
}

}  // namespace

TEST_CASE("an address that a machine declined, or gave back, is its own no more") {
    const std::string again = option(54, be32(server_ip));
    Wire wire;
    wire.gets_address(as_firmware, "n.0");
    SECTION("declined") {
        wire.see(dhcp(true, 4, again + option(50, be32(guest_ip))));
    }
    SECTION("released") {
        std::string release = dhcp(true, 7, again);
        wire.see(release.replace(14 + 12, 4, be32(guest_ip)));
    }
    SECTION("neither, and another host answers for it") {
        wire.see(routed(arp_reply(guest_ip), true));
    }
    wire.see(routed(udp(true, 2002, 69, request("theirs")), true));
    wire.see(routed(udp(false, 3000, 2002, be16(5) + be16(1) + "no"), false));
    CHECK(wire.explained().machines.front().boots.back().record.fetches.empty());
}

TEST_CASE("no machine: what there is instead is said") {
    Wire wire;
    wire.see(dhcp(true, 1, as_system)).see(udp(true, 5000, 53, "dns"));
    const auto fault = no_machine_in(wire.explained());
    REQUIRE(fault);
    CHECK(fault->code == ExitCode::no_machine);
    CHECK(as_json(wire.explained())["exit_code"] == 17);
    CHECK(as_html(wire.explained()).ends_with("</html>\n"));
    CHECK(contains(fault->why, "2 frames of 1 host; 1 message of DHCP"));
}

TEST_CASE("boots of a machine are told apart") {
    Wire wire;
    const auto boots = [&] { return wire.explained().machines.front().boots; };
    wire.gets_address(as_firmware, "u").tftp("u", nbp);
    SECTION("iPXE that the firmware fetched is the same boot") {
        wire.gets_address(as_ipxe, "b", 2);
        CHECK(boots().size() == 1);
        SECTION("and a firmware after iPXE another one") {
            wire.wait(10).gets_address(as_firmware, "u", 3);
            REQUIRE(boots().size() == 2);
            CHECK(boots()[1].record.dhcp.front().began == 0);
        }
        SECTION("and so is iPXE after a script that failed, but not an iPXE that iPXE fetched") {
            wire.tftp("b", nbp).gets_address(as_ipxe, "b", 3);
            CHECK(boots().size() == 1);
            wire.no_tftp("b").gets_address(as_ipxe, "b", 4);
            CHECK(boots().size() == 2);
        }
    }
    SECTION("an iPXE in ROM that begins with a script, after a program that ran for a while") {
        Wire rom;
        const auto round = [&](std::uint32_t xid) {
            rom.gets_address(as_ipxe, "b", xid).tftp("b", "#!ipxe\nchain u\n").tftp("u", nbp);
        };
        round(1);
        round(2);
        CHECK(rom.explained().machines.front().boots.size() == 1);
        rom.wait(40);
        round(3);
        CHECK(rom.explained().machines.front().boots.size() == 2);
    }
    SECTION("a firmware that asks again after it came further") {
        wire.wait(30).gets_address(as_firmware, "u", 2);
        CHECK(boots().size() == 2);
    }
    SECTION("whatever asks after an operating system") {
        wire.gets_address(as_system, "", 5).wait(1).gets_address(as_ipxe, "b", 2);
        CHECK(boots().size() == 2);
    }
}

TEST_CASE("a firmware that asks in vain goes on with the same boot, until it is silent for long") {
    CHECK_FALSE(begins_another_boot(Client::firmware, Client::firmware, 32, {}));
    CHECK(begins_another_boot(Client::firmware, Client::firmware, 121, {}));
    CHECK_FALSE(begins_another_boot(std::nullopt, Client::firmware, 0, {}));
    CHECK_FALSE(begins_another_boot(Client::ipxe, Client::other, 999, {}));
}

TEST_CASE("however many machines and boots there are, so many are kept, and the rest is counted") {
    Wire wire;
    for (unsigned i = 0; i < Machines::most_machines + 5; ++i) {
        std::string frame = dhcp(true, 1, as_firmware);
        frame[6 + 4] = frame[14 + 20 + 8 + 28 + 4] = static_cast<char>(i >> 4U);
        frame[6 + 5] = frame[14 + 20 + 8 + 28 + 5] = static_cast<char>(i & 15U);
        wire.see(frame);
    }
    CHECK(wire.explained().machines.size() == Machines::most_machines);
    CHECK(wire.machines.counts().left_out == 5);
    Wire again;
    for (std::uint32_t i = 0; i < most_boots + 5; ++i) {
        again.gets_address(as_firmware, "u", i).tftp("u", nbp).wait(1);
    }
    const FoundMachine machine = again.explained().machines.front();
    CHECK(machine.boots.size() == most_boots);
    CHECK(machine.boots_left_out == 5);
}

}  // namespace
}  // namespace vml::capture::test
