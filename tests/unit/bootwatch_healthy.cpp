// Healthy boots of docs/verdicts.md that show what a row of it goes by, each beside the boot that must get
// the row. Those that need more than a few frames stand with their verdicts, in the other files.
#include <string>
#include <string_view>

#include "bootwatch/verdict_rows.h"
#include "tests/unit/bootwatch_machine.h"

namespace vml::boot {
namespace {

using namespace test;

// Does the machine get this row's verdict?
bool gets_row(Machine& machine, std::string_view row) {
    const Fault fault = machine.verdict();
    INFO(to_text(fault));
    for (const VerdictRow& verdict : verdict_rows) {
        const std::size_t hole = verdict.sentence.find("{}");
        const std::string_view before = verdict.sentence.substr(0, hole);
        const std::string_view after =
            hole == std::string_view::npos ? std::string_view{} : verdict.sentence.substr(hole + 2);
        if (verdict.name == row) {
            return fault.what.starts_with(before) && fault.what.ends_with(after);
        }
    }
    FAIL("no such row");
    return false;
}

void only_the_first(std::string_view row, Machine faulty, Machine healthy) {
    CAPTURE(row);
    CHECK(gets_row(faulty, row));
    CHECK_FALSE(gets_row(healthy, row));
}

Machine with_script(const std::string& script = "#!ipxe\n") {
    Machine machine;
    machine.has_address().tftp("boot.ipxe", script);
    return machine;
}

const std::string no_option;
const std::string as_firmware = option(60, "PXEClient:Arch:00007");
const std::string offer_frame = dhcp(false, 2, option(67, "boot.ipxe"), guest_ip);
const std::string ack_frame = dhcp(false, 5, option(67, "boot.ipxe"), guest_ip);

TEST_CASE("healthy: panics and kernels") {
    Machine memory;
    memory.says("Linux version 6 (x)");
    Machine killed = memory;
    killed.says("Run /init as init process")
        .says("Out of memory: Killed process 7 (stress)")
        .is_out_of_time(9);
    only_the_first("panic-memory", memory.says("Kernel panic - not syncing: System is deadlocked on memory"),
                   killed);
    Machine timer;
    timer.says("Linux version 6 (x)");
    Machine another_way = timer;
    another_way.says("..MP-BIOS bug: 8254 timer not connected to IO-APIC").is_out_of_time(9);
    only_the_first("panic-timer", timer.says("Kernel panic - not syncing: IO-APIC + timer doesn't work!"),
                   another_way);
    Machine stub;
    stub.has_address().http("/k", linux_kernel());
    Machine warns = stub;
    warns.says("EFI stub: WARNING: Failed to measure data for event 1: 0x8000000000000003").is_out_of_time(9);
    only_the_first("stub-failed", stub.says("EFI stub: ERROR: Failed to open file: initrd.img"), warns);
    Machine quiet = with_script();
    quiet.http("/k", linux_kernel()).is_out_of_time(30);
    Machine speaks = quiet;
    only_the_first("quiet-kernel", quiet, speaks.says("Linux version 6 (x)"));
}

TEST_CASE("healthy: firmware") {
    const std::string denied = "BdsDxe: failed to load Boot0001 \"UEFI PXEv4\" from X: Access Denied";
    Machine refused{false};
    refused.about.uefi = true;
    refused.has_address(option(67, "x.efi"), as_firmware).tftp("x.efi", "\1\2\3").says(denied);
    Machine second = refused;  // it boots, and lacks its kernel
    second.says(">>Start HTTP Boot over IPv4.").http("/shim.efi", "\1\2\3").no_http("/k");
    second.says("error: file `/k' not found.").is_out_of_time(60);
    Machine system = refused;
    system.http("/shim.efi", "\1\2\3").says("Linux version 6 (x)").is_out_of_time(60);
    only_the_first("secure-boot", refused, second);
    only_the_first("secure-boot", refused, system);
    Machine again = refused;  // and so is the second
    again.http("/shim.efi", "\1\2\3").says(denied);
    CHECK(gets_row(again, "secure-boot"));
    Machine client{false};
    client.about.ipxe = true;
    client.says(">>Start PXE over IPv4.")
        .has_address(option(67, "snponly.efi"), as_firmware)
        .tftp("snponly.efi", "\1\2");
    Machine loads_ipxe = client;
    loads_ipxe.says("iPXE 1.0 -- Open Source Network Boot Firmware -- http://ipxe.org").has_address().stops();
    only_the_first("firmware-pxe", client.stops(), loads_ipxe);
    Machine no_rom{false};
    no_rom.says("Booting from Hard Disk...");
    Machine disk = no_rom;  // which comes first: no iPXE was asked for in its place
    no_rom.about.ipxe = true;
    only_the_first("rom-never-ran", no_rom, disk.is_out_of_time(60));
}

TEST_CASE("healthy: links and addresses") {
    const std::string down = "  [Link:down, TX:0 TXE:0 RX:0 RXE:0]";
    Machine dark;
    dark.says(down).discovers();
    Machine late = dark;
    only_the_first("no-link", dark.stops(), late.see(offer_frame).stops());
    Machine mute;
    mute.says("x (http://ipxe.org/040ee119)");
    Machine fixed = mute;  // a static address
    only_the_first("no-discover", mute.stops(), fixed.http("/k", "\1\2\3").stops());
    Machine alone;
    alone.discovers().discovers();
    Machine slow_server = alone;
    Machine static_address = alone;
    Machine two_nics = alone;
    only_the_first("no-offer", alone.stops(), slow_server.has_address().stops());
    only_the_first("no-offer", alone, static_address.http("/k", "\1\2\3").stops());
    two_nics.timeline = Timeline{{{"net0", {2, 0, 0, 0, 0, 3}}, {"net1", guest}}};
    two_nics.timeline.started(0);
    std::string first_nic = dhcp(true, 1, as_ipxe);
    first_nic.replace(6, 6, text_of({2, 0, 0, 0, 0, 3}));
    two_nics.timeline.packet(1, 0, decode_frame(bytes_of(first_nic)).value());
    for (const std::string& frame :
         {dhcp(true, 1, as_ipxe), offer_frame, dhcp(true, 3, as_ipxe), ack_frame}) {
        two_nics.timeline.packet(2, 1, decode_frame(bytes_of(frame)).value());
    }
    only_the_first("no-offer", alone, two_nics.stops());
}

TEST_CASE("healthy: an offer, and what became of it") {
    const auto asks = [](const std::string& who = as_ipxe) {
        Machine machine;
        machine.see(dhcp(true, 1, who)).see(dhcp(false, 2, no_option, guest_ip));
        return machine;
    };
    Machine nak = asks();
    nak.see(dhcp(true, 3, as_ipxe)).see(dhcp(false, 6, no_option));
    Machine old_lease = nak;
    only_the_first("dhcp-nak", nak.stops(), old_lease.has_address().stops());
    Machine declined = asks();
    declined.see(dhcp(true, 4, as_ipxe));
    Machine second = declined;
    only_the_first("declined", declined.stops(), second.has_address().stops());
    Machine waits = asks();  // 3 s for ProxyDHCP
    Machine took = waits;
    took.at += 3;
    only_the_first("offer-not-taken", waits.stops(), took.see(dhcp(true, 3, as_ipxe)).see(ack_frame).stops());
    Machine picky = asks(as_firmware);
    Machine ipxe = asks();
    ipxe.see(dhcp(true, 3, as_ipxe)).see(dhcp(false, 5, no_option, guest_ip)).http("/k", "\1\2\3");
    only_the_first("offer-without-file", picky.stops(), ipxe.stops());
    Machine unheard = asks();
    unheard.see(dhcp(true, 3, as_ipxe)).see(dhcp(true, 3, as_ipxe));
    Machine heard = unheard;
    only_the_first("no-ack", unheard.stops(), heard.see(ack_frame).stops());
    Machine proxy;
    proxy.discovers().see(dhcp(false, 2, option(60, "PXEClient") + option(67, "x")));
    Machine beside = proxy;
    beside.see(offer_frame).see(dhcp(true, 3, as_ipxe)).see(ack_frame);
    only_the_first("proxy-alone", proxy.stops(), beside.stops());
}

TEST_CASE("healthy: what DHCP names to boot") {
    Machine nothing;
    nothing.has_address(no_option);
    Machine embedded = nothing;
    Machine by_six = nothing;
    by_six.see(dhcp6(true, 1, "")).see(dhcp6(false, 7, address6 + option6(59, "tftp://[fdfd::1]/x")));
    only_the_first("no-file", nothing.stops(), embedded.http("/k", "\1\2\3").stops());
    only_the_first("no-file", nothing, by_six.stops());
    Machine six;
    six.discovers().see(dhcp6(true, 1, "")).see(dhcp6(false, 7, address6));
    Machine four = six;
    only_the_first("no-file-6", six.stops(), four.has_address().stops());
    const auto named = [](const std::string& options) {
        Machine machine;
        return machine.has_address(options, as_ipxe, 0);
    };
    Machine serverless = named(option(67, "boot.ipxe")).stops();
    only_the_first("no-server", serverless, named(option(67, "http://10.0.0.1/boot.ipxe")).stops());
    only_the_first("no-server", serverless, named(option(17, "iscsi:10.0.0.1::::iqn.x:y")).stops());
    Machine by_proxy;
    std::string proxy_offer = dhcp(false, 2, option(60, "PXEClient") + option(67, "boot.ipxe"));
    proxy_offer.replace(14 + 20 + 8 + 20, 4, be32(server_ip));
    by_proxy.discovers()
        .see(proxy_offer)
        .see(dhcp(true, 3, as_ipxe))
        .see(dhcp(false, 5, no_option, guest_ip));
    only_the_first("no-server", serverless, by_proxy.stops());
    CHECK_FALSE(gets_row(by_proxy, "proxy-dead"));  // it had the file already
}

std::string dns(bool answer, unsigned rcode, unsigned answers, unsigned type) {
    const unsigned flags = answer ? 0x8180 + rcode : 0x0100;
    const std::string message = be16(5) + be16(flags) + be16(1) + be16(answers) + be32(0) +
                                std::string{"\4boot\0", 6} + be16(type) + be16(1);
    return answer ? udp(false, 53, 4000, message) : udp(true, 4000, 53, message);
}

TEST_CASE("healthy: names") {
    constexpr unsigned a = 1;
    constexpr unsigned aaaa = 28;
    Machine silent = with_script();
    silent.see(dns(false, 0, 0, a)).see(dns(false, 0, 0, a));
    Machine repeated = silent;
    only_the_first("dns-silent", silent.stops(), repeated.see(dns(true, 0, 1, a)).stops());
    Machine unknown = with_script();
    unknown.see(dns(false, 0, 0, aaaa)).see(dns(true, 0, 0, aaaa));
    Machine v4_alone = unknown;
    v4_alone.see(dns(false, 0, 0, a)).see(dns(true, 0, 1, a));
    only_the_first("dns-unknown", unknown.stops(), v4_alone.stops());
}

TEST_CASE("healthy: fetches") {
    Machine idle;
    idle.has_address();
    Machine from_rom = idle;
    from_rom.says("embedded.ipxe : 70 bytes [script]");
    only_the_first("not-fetched", idle.stops(), from_rom.stops());
    const std::string full = "Could not boot image: No space left on device (http://ipxe.org/34232006)";
    Machine small = with_script();
    small.http("/initrd", "abc", 900000000).says(full);
    Machine fits = with_script();  // what was tried first did not
    fits.says(full).http("/small", std::string(3000, 'x'));
    only_the_first("no-memory", small.stops(), fits.stops());
    Machine coming = with_script();
    coming.http("/k", "abc", 3000000).is_out_of_time(1);
    Machine whole = with_script();
    whole.http("/k", std::string(3000, 'x')).is_out_of_time(1);
    only_the_first("still-fetching", coming, whole);
    Machine stalled = with_script();
    stalled.http("/k", "abc", 3000000).is_out_of_time(60);
    only_the_first("stalled-fetch", stalled, coming);
    Machine moved = with_script();
    moved.connects(80).asks(80, "/k").answers(
        80, "HTTP/1.1 302 Found\r\nLocation: http://h/new\r\nContent-Length: 0\r\n\r\n");
    Machine followed = moved;
    only_the_first("redirected", moved.stops(), followed.http("/new", "\1\2\3").stops());
}

TEST_CASE("healthy: what was fetched, and who ran it") {
    const std::string bad_format = "Could not boot: Exec format error (http://ipxe.org/2e008081)";
    const std::string unsigned_file = "Could not verify: Permission denied (http://ipxe.org/022c613b)";
    Machine refused = with_script("#!ipxe\nimgverify k k.sig\n");
    refused.says(unsigned_file);
    Machine handled = refused;  // the script goes on, and another line ends it
    refused.says("Could not boot image: Permission denied (http://ipxe.org/022c613b)");
    handled.http("/other", "\1\2\3").says("Could not boot image: No such device (http://ipxe.org/2c048087)");
    only_the_first("not-verified", refused.stops(), handled.stops());
    std::string arm(0x40, '\0');
    arm.replace(0x38, 4, "ARM\x64");
    Machine foreign = with_script();
    foreign.http("/arm", arm);
    Machine both = foreign;
    both.http("/k", linux_kernel()).says("Linux version 6 (x)").is_out_of_time(60);
    only_the_first("other-machine", foreign.stops(), both);
    Machine garbage = with_script();
    garbage.http("/k", "\1\2\3").says(bad_format);
    Machine tries_another = garbage;
    tries_another.http("/other", linux_kernel()).says("Linux version 6 (x)").is_out_of_time(60);
    only_the_first("not-bootable", garbage.stops(), tries_another);
}

TEST_CASE("iPXE is not told why Secure Boot refused a program") {
    const auto hint_on = [](std::string_view file, bool secure) {
        Machine machine = with_script();
        machine.http("/k", std::string{file});
        machine.says("Could not boot: Exec format error (http://ipxe.org/2e008081)");
        machine.about.uefi = true;
        machine.about.secure = secure;
        const Fault verdict = machine.stops().verdict();
        CHECK(contains(verdict.what, "/k cannot be booted"));
        return verdict.hint;
    };
    CHECK(contains(hint_on(linux_kernel(), true), "signed by an enrolled key"));
    CHECK_FALSE(contains(hint_on(linux_kernel(), false), "signed"));
    CHECK_FALSE(contains(hint_on("\1\2\3", true), "signed"));
}

TEST_CASE("healthy: a SAN boot says nothing for long") {
    Machine program = with_script();
    program.http("/program", "\1\2\3");
    CHECK(program.timeline.silence_would_end_it());
    Machine san = with_script();
    san.connects(80).asks(80, "/disk.img", "Range: bytes=0-2\r\n");
    san.answers(80, "HTTP/1.1 206 Partial Content\r\nContent-Length: 3\r\n\r\n\1\2\3");
    CHECK_FALSE(san.timeline.silence_would_end_it());
}

}  // namespace
}  // namespace vml::boot
