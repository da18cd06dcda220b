// Verdicts on boots that no recording shows.
#include <string>

#include "tests/unit/bootwatch_machine.h"

namespace vml::boot {
namespace {

using namespace test;

TEST_CASE("no link") {
    Machine machine;
    machine.says("  [Link:down, TX:0 TXE:0 RX:0 RXE:0]").stops();
    machine.gets(ExitCode::no_offer, "the NIC has no link", "link is down");
}

TEST_CASE("iPXE that sends nothing does not know the NIC") {
    Machine machine;
    machine.says("x (http://ipxe.org/040ee119)").stops();
    machine.gets(ExitCode::no_offer, "never asked for an address", "no DISCOVER was seen");
}

TEST_CASE("no offer, with what the device looks like") {
    Machine machine;
    machine.about.network = Network::direct;
    machine.about.host_link = "eth1";
    machine.about.link_state = {"eth1 has no carrier: is the cable in?"};
    machine.discovers().discovers().stops();
    machine.gets(ExitCode::no_offer, "no DHCP server answered", "2 DISCOVERs over net0");
    CHECK(contains(machine.verdict().why, "eth1 has no carrier"));
    CHECK(contains(machine.verdict().why, "nothing at all came in"));
    CHECK(contains(machine.verdict().hint, "macvtap"));
}

TEST_CASE("offers that are refused, declined, not taken, not acknowledged, or of a ProxyDHCP server alone") {
    Machine nak;
    nak.discovers().see(dhcp(false, 2, "", guest_ip)).see(dhcp(true, 3, as_ipxe));
    nak.see(dhcp(false, 6, option(56, "no lease left"))).stops();
    nak.gets(ExitCode::no_offer, "refused the request", "no lease left");
    Machine declined;
    declined.discovers()
        .see(dhcp(false, 2, "", guest_ip))
        .see(dhcp(true, 4, option(50, be32(guest_ip))))
        .stops();
    declined.gets(ExitCode::no_offer, "declined the address", "10.0.0.2 is in use");
    Machine idle;
    idle.discovers().see(dhcp(false, 2, "", guest_ip)).stops();
    idle.gets(ExitCode::no_offer, "took none of the offers", "10.0.0.1 offered 10.0.0.2");
    Machine bare;  // PXE-E16
    bare.see(dhcp(true, 1, option(60, "PXEClient:Arch:00007"))).see(dhcp(false, 2, "", guest_ip)).stops();
    bare.gets(ExitCode::nothing_to_boot, "named nothing to boot", "without a filename");
    Machine picky;  // which had one
    picky.see(dhcp(true, 1, option(60, "PXEClient:Arch:00007")));
    picky.see(dhcp(false, 2, option(67, "x"), guest_ip)).stops();
    picky.gets(ExitCode::no_offer, "took none of the offers", "10.0.0.1 offered 10.0.0.2");
    Machine mute;
    mute.discovers()
        .see(dhcp(false, 2, "", guest_ip))
        .see(dhcp(true, 3, as_ipxe))
        .see(dhcp(true, 3, as_ipxe))
        .stops();
    mute.gets(ExitCode::no_offer, "never acknowledged", "2 requests went unanswered");
    Machine proxy;
    proxy.discovers().see(dhcp(false, 2, option(60, "PXEClient") + option(67, "x"))).stops();
    proxy.gets(ExitCode::no_offer, "no DHCP server offered an address", "ProxyDHCP");
}

TEST_CASE("a file that a ProxyDHCP server names counts") {
    Machine machine;
    machine.discovers().see(dhcp(false, 2, option(60, "PXEClient") + option(67, "pxe.0")));
    machine.see(dhcp(true, 3, as_ipxe)).see(dhcp(false, 5, "", guest_ip)).stops();
    machine.gets(ExitCode::nothing_to_boot, "DHCP named pxe.0 and no server", "siaddr");
}

TEST_CASE("a server that nobody answers for") {
    Machine machine;
    machine.has_address(option(67, "boot.ipxe"), as_ipxe, 0).see(arp_request(server_ip)).stops();
    machine.gets(ExitCode::fetch_failed, "nobody answers for the server 10.0.0.1", "by ARP");
}

TEST_CASE("a name that no DNS server answers for") {
    Machine machine;
    machine.has_address().see(udp(true, 4000, 53,
                                  be16(5) + be16(0x0100) + be16(1) + be16(0) + be32(0) +
                                      std::string{"\x04"
                                                  "boot\0",
                                                  6} +
                                      be16(1) + be16(1)));
    machine.stops();
    machine.gets(ExitCode::fetch_failed, "does not answer for boot", "no answer came");
}

std::string get(const std::string& path) {
    return tcp(true, 5000, 80, 101, ack, "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
}

TEST_CASE("sent on, and never asked there") {
    Machine machine;
    machine.has_address()
        .see(tcp(true, 5000, 80, 100, syn))
        .see(tcp(false, 5000, 80, 1000, syn | ack))
        .see(get("/k"));
    machine.see(tcp(false, 5000, 80, 1001, ack,
                    "HTTP/1.1 301 Moved Permanently\r\nLocation: https://h/k\r\nContent-Length: 0\r\n\r\n"));
    machine.stops();
    machine.gets(ExitCode::fetch_failed, "http://h/k was redirected to https://h/k", "301 Moved Permanently");
}

TEST_CASE("a TLS alert") {
    Machine machine;
    machine.has_address().see(tcp(true, 5000, 443, 100, syn)).see(tcp(false, 5000, 443, 1000, syn | ack));
    machine.see(tcp(true, 5000, 443, 101, ack, std::string{"\x16\x03\x01\0\x04\x01\0\0\0", 9}));
    machine.see(tcp(false, 5000, 443, 1001, ack, std::string{"\x15\x03\x03\0\x02\x02\x30", 7})).stops();
    machine.gets(ExitCode::fetch_failed, "cannot fetch https://10.0.0.1/", "TLS failed: unknown_ca");
    CHECK(contains(machine.verdict().hint, "trust the server's certificate"));
}

TEST_CASE("a TFTP server that never answers") {
    Machine machine;
    machine.has_address();
    for (int turn = 0; turn < 3; ++turn) {
        machine.see(udp(true, 2000, 69, be16(1) + std::string{"boot.ipxe\0octet\0", 16}));
    }
    machine.stops();
    machine.gets(ExitCode::fetch_failed, "cannot fetch tftp://10.0.0.1/boot.ipxe", "asked 3 times");
}

TEST_CASE("an error page that came instead of a kernel") {
    Machine machine;
    machine.has_address()
        .see(tcp(true, 5000, 80, 100, syn))
        .see(tcp(false, 5000, 80, 1000, syn | ack))
        .see(get("/k"));
    machine.see(tcp(false, 5000, 80, 1001, ack, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"));
    machine.says("Could not boot: Exec format error (http://ipxe.org/2e008081)").stops();
    machine.gets(ExitCode::not_bootable, "http://h/k cannot be booted", "an HTML page");
    CHECK(contains(machine.verdict().hint, "page instead of the file"));
}

TEST_CASE("a ROM that SeaBIOS left out, and its own log says why") {
    Timeline timeline{{{"net0", guest}}};
    timeline.started(0);
    CHECK(timeline.firmware_line(0.1, "SeaBIOS (version 1)").size() == 1);
    timeline.firmware_line(0.2, "Found option rom with bad checksum: loc=0x000c8000 len=75776 sum=3f");
    timeline.line(1, "No bootable device.");
    Circumstances about;
    about.ipxe = true;
    const Fault verdict = judge(timeline.boots(), about);
    CHECK(verdict.code == ExitCode::rom_never_ran);
    CHECK(contains(verdict.why, "bad checksum"));
}

TEST_CASE("iPXE got no answer, and the firmware asks before its console is read") {
    Machine machine;
    machine.about.uefi = true;
    for (int turn = 0; turn < 4; ++turn) {
        machine.discovers();
    }
    machine.says("No configuration methods succeeded (https://ipxe.org/040ee186)");
    machine.see(dhcp(true, 1, option(60, "PXEClient:Arch:00007")));
    machine.says("BdsDxe: failed to load Boot0001 \"UEFI Non-Block Boot Device\" from x: Not Found");
    machine.gets(ExitCode::no_offer, "no DHCP server answered", "iPXE sent 4 DISCOVERs");
}

TEST_CASE("Secure Boot that refuses a loader is named") {
    Machine machine;
    machine.has_address().says("BdsDxe: failed to load Boot0001 \"UEFI PXEv4\" from X: Access Denied");
    machine.gets(ExitCode::not_bootable, "Secure Boot refused", "Access Denied");
}

TEST_CASE("what a program came back with is no refusal of Secure Boot's") {
    Machine machine;
    machine.has_address()
        .see(tcp(true, 5000, 80, 100, syn))
        .see(tcp(false, 5000, 80, 1000, syn | ack))
        .see(get("/boot.ipxe"));
    machine.see(tcp(false, 5000, 80, 1001, ack, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"));
    machine.says("BdsDxe: failed to start Boot0001 \"UEFI PXEv4\" from X: Access Denied").stops();
    machine.gets(ExitCode::fetch_failed, "cannot fetch http://h/boot.ipxe", "403");
}

TEST_CASE(
    "the kernel that ran out of memory, the one whose timer came late, and the one with another complaint") {
    Machine memory;
    memory.says("Linux version 6 (x)").says("Kernel panic - not syncing: System is deadlocked on memory");
    memory.gets(ExitCode::guest_panicked, "ran out of memory", "deadlocked");
    CHECK(contains(memory.verdict().hint, "--memory"));
    Machine timer;
    timer.says("Linux version 6 (x)")
        .says("Kernel panic - not syncing: IO-APIC + timer doesn't work!  Boot with apic=debug");
    timer.gets(ExitCode::guest_panicked, "check of its timer failed", "IO-APIC");
    CHECK(contains(timer.verdict().hint, "no_timer_check"));
    Machine other;
    other.says("Linux version 6 (x)").says("Kernel panic - not syncing: Attempted to kill init!");
    other.gets(ExitCode::guest_panicked, "panicked before an operating system ran", "kill init");
}

TEST_CASE("without evidence there is no guess: what was seen last is told") {
    Machine machine;
    machine.gets(ExitCode::boot_timeout, "went no further", "seen last: option ROM: iPXE 1.0 runs");
    CHECK(seen_last(Boot{}) == "nothing was seen");
}

TEST_CASE("DHCPv6 is seen, with the file that it names") {
    Machine machine;
    const std::string ipv6 = be32(0x60000000);
    const std::string payload = std::string{"\x07\0\0\1", 4} + be16(59) + be16(13) + "tftp://[fd]/x";
    const std::string datagram =
        be16(547) + be16(546) + be16(static_cast<unsigned>(payload.size()) + 8) + be16(0) + payload;
    machine.see(ethernet(
        false, 0x86DD,
        ipv6 + be16(static_cast<unsigned>(datagram.size())) + "\x11\x40" + std::string(32, '\1') + datagram));
    CHECK(contains(machine.timeline.boot().marks.back().detail, "file tftp://[fd]/x"));
}

}  // namespace
}  // namespace vml::boot
