// Verdicts on boots that a capture shows, wherever it was made.
#include "tests/unit/capture_frames.h"

namespace vml::capture::test {
namespace {

TEST_CASE("a boot that ends in an operating system is one boot, from the firmware's PXE on") {
    Wire wire;
    wire.gets_address(as_firmware, "undionly.kpxe").tftp("undionly.kpxe", nbp);
    wire.gets_address(as_ipxe, "boot.ipxe", 2).tftp("boot.ipxe", "#!ipxe\nkernel k\nboot\n");
    wire.http("/k", ok_answer(kernel())).wait(5).gets_address(as_system, "", 3);
    wire.gets(ExitCode::ok, "an operating system speaks DHCP");
    const CapturedBoot boot = wire.boot();
    CHECK(boot.record.reached(boot::Stage::script));
    CHECK(boot.record.reached(boot::Stage::kernel));
    CHECK(boot.record.dhcp.size() == 3);
    CHECK(exit_code_of(wire.explained()) == 0);
}

TEST_CASE("what was delivered is no failure, and what became of it is unknown") {
    Wire wire;
    wire.gets_address(as_firmware, "pxelinux.0").tftp("pxelinux.0", nbp).ends_later(60);
    wire.gets(ExitCode::ok, "gave all that was asked for", "pxelinux.0");
    CHECK(contains(wire.boot().verdict.hint, "frames do not show"));
}

TEST_CASE("a file that is not there") {
    SECTION("by HTTP") {
        Wire wire;
        wire.gets_address(as_ipxe, "http://10.0.0.1/boot.ipxe");
        wire.http("/boot.ipxe", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").ends_later(1);
        wire.gets(ExitCode::fetch_failed, "http://h/boot.ipxe", "404");
    }
    SECTION("by TFTP") {
        Wire wire;
        wire.gets_address(as_firmware, "nbp.efi").no_tftp("nbp.efi").ends_later(1);
        wire.gets(ExitCode::fetch_failed, "nbp.efi", "File not found");
    }
}

TEST_CASE("no offer takes a second question, or a while") {
    Wire wire;
    wire.see(dhcp(true, 1, as_firmware)).ends_later(1);
    SECTION("none yet") {
        wire.gets(ExitCode::ok, "the capture ends when the machine has asked");
    }
    SECTION("a second question") {
        wire.wait(3).see(dhcp(true, 1, as_firmware));
        wire.gets(ExitCode::no_offer, "no DHCP server answered", "2 DISCOVERs");
    }
    SECTION("a while") {
        wire.ends_later(10).gets(ExitCode::no_offer, "no DHCP server answered");
        CHECK(contains(wire.boot().verdict.hint, "VLAN"));
        CHECK_FALSE(contains(wire.boot().verdict.hint, "QEMU"));
    }
}

TEST_CASE("U-Boot is a boot client, and fetches what no other firmware does") {
    const std::string as_uboot = option(60, "U-Boot.armv8") + option(93, be16(22));
    Wire wire;
    SECTION("nobody answers") {
        wire.see(dhcp(true, 1, as_uboot)).wait(3).see(dhcp(true, 1, as_uboot)).ends_later(9);
        wire.gets(ExitCode::no_offer, "no DHCP server answered", "2 DISCOVERs");
    }
    SECTION("an address alone, whatever file there is") {
        wire.gets_address(as_uboot, GENERATE("", "boot.scr.uimg")).ends_later(20);
        wire.gets(ExitCode::ok, "asked for no file by TFTP or HTTP", "U-Boot has 10.0.0.2");
    }
    SECTION("a server that is not there") {
        wire.gets_address(as_uboot, "k").see(arp_request(server_ip)).wait(1).see(arp_request(server_ip));
        wire.ends_later(20).gets(ExitCode::fetch_failed, "nobody answers for");
    }
    SECTION("a list, which is a program for nobody") {
        wire.gets_address(as_uboot, "extlinux.conf")
            .tftp("extlinux.conf", "LABEL a\n LINUX k\n")
            .ends_later(9);
        wire.gets(ExitCode::ok, "gave all that was asked for");
    }
}

TEST_CASE("a client that declines its address names no class, and is the same client") {
    const std::string offer = option(54, be32(server_ip));
    Wire wire;
    for (std::uint32_t xid = 1; xid <= 2; ++xid) {
        wire.gets_address(as_firmware, "n.0", xid).see(of_xid(dhcp(true, 4, offer), xid)).wait(1);
    }
    SECTION("again and again") {
        wire.gets(ExitCode::no_offer, "declined the address", "10.0.0.2 is in use");
        wire.see(dhcp(true, 4, offer + option(50, be32(0x0A000009))));
        wire.gets(ExitCode::no_offer, "declined the address", "10.0.0.9 is in use");
        CHECK(wire.boot().record.dhcp.size() == 1);
    }
    SECTION("and takes the next one") {
        wire.gets_address(as_firmware, "n.0", 3);
        wire.gets(ExitCode::ok, "the capture ends when the machine has its address");
        wire.tftp("n.0", nbp);
        wire.gets(ExitCode::ok, "gave all that was asked for");
    }
    SECTION("and one that gives it back does not look for another") {
        wire.gets_address(as_firmware, "n.0", 3).tftp("n.0", nbp).see(of_xid(dhcp(true, 7, offer), 3));
        wire.gets(ExitCode::ok, "gave all that was asked for");
        CHECK(wire.boot().record.dhcp.size() == 1);
    }
}

TEST_CASE("a client that was refused an address once looks for another, and that is no failure yet") {
    Wire wire;
    const auto goes_on = [&] {
        wire.gets(ExitCode::ok, "the capture ends when the machine looks for another address");
    };
    const bool declines = GENERATE(true, false);
    if (declines) {
        wire.gets_address(as_firmware, "n.0").see(dhcp(true, 4, option(50, be32(guest_ip))));
    } else {
        wire.see(dhcp(true, 3, as_firmware)).see(dhcp(false, 6, option(54, be32(server_ip))));
    }
    goes_on();
    wire.wait(10).see(of_xid(dhcp(true, 1, as_firmware), 2));
    goes_on();
    SECTION("it gets one") {
        wire.gets_address(as_firmware, "n.0", 2);
        wire.gets(ExitCode::ok, "the capture ends when the machine has its address");
    }
    SECTION("it asks in vain") {
        wire.wait(4).see(of_xid(dhcp(true, 1, as_firmware), 2)).ends_later(2);
        wire.gets(ExitCode::no_offer, declines ? "declined the address" : "the DHCP server refused");
    }
}

TEST_CASE("a capture that starts in the middle") {
    Wire wire;
    wire.http("/vmlinuz", ok_answer(kernel())).ends_later(10);
    wire.gets(ExitCode::ok, "gave all that was asked for");
    CHECK(contains(as_text(wire.explained()), "unknown    what came before"));
}

TEST_CASE("a capture that ends while bytes flow is no failure") {
    Wire wire;
    wire.gets_address(as_ipxe, "http://10.0.0.1/k");
    wire.http("/k", "HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + kernel());
    SECTION("at once") {
        wire.gets(ExitCode::ok, "the capture ends while http://h/k is fetched", "of 9.0 MB");
    }
    SECTION("and one that shows that none flow any more is") {
        wire.ends_later(30).gets(ExitCode::fetch_failed, "stalled");
    }
}

TEST_CASE("a capture of one direction says so") {
    Wire wire;
    SECTION("from the machine") {
        wire.see(dhcp(true, 1, as_firmware)).see(dhcp(true, 3, as_firmware));
        wire.see(udp(true, 2001, 69, request("nbp"))).see(udp(true, 2001, 3000, be16(4) + be16(1)));
        wire.ends_later(30).gets(ExitCode::boot_timeout, "what the machine was answered was not seen");
    }
    SECTION("to the machine") {
        const std::string answer = option(54, be32(server_ip)) + option(67, "nbp.0");
        wire.see(dhcp(false, 2, answer, guest_ip)).see(dhcp(false, 5, answer, guest_ip));
        wire.see(udp(false, 3000, 2001, be16(3) + be16(1) + nbp));
        wire.ends_later(30).gets(ExitCode::boot_timeout, "what the machine sent was not seen");
        CHECK(contains(as_text(wire.explained()), "10.0.0.1 answers with 10.0.0.2, file nbp.0"));
    }
}

TEST_CASE("on a boot server the answers of others to the machine alone are not seen, and not missed") {
    Wire wire;
    SECTION("of the DHCP server") {
        wire.see(dhcp(true, 1, as_ipxe));
        wire.see(dhcp(false, 2, option(54, be32(server_ip)) + option(60, "PXEClient") + option(67, "n.0")));
        wire.see(dhcp(true, 3, as_ipxe + option(54, be32(0x0A000005)))).ends_later(20);
        wire.gets(ExitCode::boot_timeout, "what the DHCP server 10.0.0.5 answered was not seen");
    }
    SECTION("of the gateway") {
        wire.gets_address(as_ipxe, "n.0").see(arp_request(0x0A0000FE)).ends_later(20);
        wire.gets(ExitCode::boot_timeout, "no request for n.0 was seen");
    }
    SECTION("but who asks again was not answered") {
        wire.gets_address(as_ipxe, "n.0").see(arp_request(0x0A0000FE)).wait(1).see(arp_request(0x0A0000FE));
        wire.ends_later(20).gets(ExitCode::fetch_failed, "nobody answers for", "10.0.0.254");
    }
}

TEST_CASE("a server that does not answer") {
    Wire wire;
    wire.gets_address(as_firmware, "n.0").see(udp(true, 2001, 69, request("n.0")));
    SECTION("yet") {
        wire.ends_later(1).gets(ExitCode::ok, "while tftp://10.0.0.1/n.0 is fetched");
    }
    SECTION("when it is asked again") {
        wire.wait(1).see(udp(true, 2001, 69, request("n.0"))).ends_later(1);
        wire.gets(ExitCode::fetch_failed, "n.0", "asked 2 times");
    }
    SECTION("for 10 s, by HTTP, may be slow") {
        wire.connects().see(tcp(true, wire.port, 80, 101, ack, "GET /k HTTP/1.1\r\nHost: h\r\n\r\n"));
        wire.ends_later(10).gets(ExitCode::ok, "while http://h/k is fetched");
        CHECK_FALSE(contains(wire.boot().verdict.hint, "--"));
        wire.ends_later(10).gets(ExitCode::fetch_failed, "never answered");
    }
}

TEST_CASE("a DHCP answer that the snap length cuts names nothing, and it is not said that it did not") {
    Wire wire;
    wire.snap = 14 + 20 + 8 + 240 + 6;
    wire.gets_address(as_ipxe, "boot.ipxe");
    CHECK(wire.explained().machines.empty());  // the classes are cut too
    wire.snap = std::string::npos;
    wire.wait(1).see(of_xid(dhcp(true, 1, as_ipxe), 2));
    const auto cut = [](const std::string& frame) {
        return of_xid(frame, 2).substr(0, 14 + 20 + 8 + 240 + 6);
    };
    wire.see(cut(dhcp(false, 2, option(67, "boot.ipxe"), guest_ip)))
        .see(of_xid(dhcp(true, 3, as_ipxe), 2))
        .see(cut(dhcp(false, 5, option(67, "boot.ipxe"), guest_ip)))
        .ends_later(20);
    wire.gets(ExitCode::boot_timeout, "cut before what tells the file");
}

TEST_CASE("a file that was named and asked for nowhere") {
    Wire wire;
    wire.gets_address(as_ipxe, "boot.ipxe").ends_later(20);
    wire.gets(ExitCode::boot_timeout, "no request for boot.ipxe", "on 10.0.0.1");
}

TEST_CASE("no file was named") {
    Wire wire;
    wire.gets_address(as_ipxe, "").ends_later(20);
    wire.gets(ExitCode::nothing_to_boot, "named nothing to boot");
    CHECK(contains(wire.boot().verdict.hint, "DHCP server"));
}

TEST_CASE("a program for another firmware") {
    std::string efi(0x80, '\0');
    efi.replace(0, 2, "MZ");
    efi[0x3C] = 0x40;
    efi.replace(0x40, 6, std::string{"PE\0\0\x64\x86", 6});
    Wire wire;
    wire.gets_address(as_firmware, "ipxe.efi").tftp("ipxe.efi", efi);
    SECTION("after which nothing follows") {
        wire.ends_later(20).gets(ExitCode::not_bootable, "ipxe.efi is a program for another firmware",
                                 "UEFI");
    }
    SECTION("that runs all the same") {
        wire.gets_address(as_ipxe, "boot.ipxe", 2).tftp("boot.ipxe", "#!ipxe\nshell\n").ends_later(20);
        wire.gets(ExitCode::ok, "gave all that was asked for");
    }
}

TEST_CASE("an operating system after a network boot that failed is no success") {
    Wire wire;
    wire.gets_address(as_firmware, "nbp.0").no_tftp("nbp.0").wait(20).gets_address(as_system, "", 3);
    wire.gets(ExitCode::fetch_failed, "nbp.0", "from a disk perhaps");
}

// Of a boot whose kernel was there 1 minute ago.
Wire with_kernel(const std::string& script) {
    Wire wire;
    wire.gets_address(as_ipxe, "b").tftp("b", script);
    wire.http("/k", ok_answer(kernel())).wait(60);
    return wire;
}

TEST_CASE("what a system does later does not undo a boot that was delivered") {
    const auto is_delivered = [](Wire& wire, const std::string& afterwards) {
        wire.gets(ExitCode::ok, "gave all that was asked for", "; afterwards " + afterwards);
    };
    const std::string missing = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    SECTION("a host that is not there") {
        Wire wire = with_kernel("#!ipxe\nkernel http://h/k\nboot\n");
        wire.see(arp_request(0x0A000063)).wait(1).see(arp_request(0x0A000063)).ends_later(60);
        is_delivered(wire, "nobody answers for");
    }
    SECTION("but one that the boot's script names is the boot's") {
        Wire wire = with_kernel("#!ipxe\nkernel http://h/k\ninitrd http://10.0.0.99/i\nboot\n");
        wire.see(arp_request(0x0A000063)).wait(1).see(arp_request(0x0A000063)).ends_later(60);
        wire.gets(ExitCode::fetch_failed, "nobody answers for");
    }
    SECTION("a file that is not there, an hour later") {
        Wire wire = with_kernel("#!ipxe\nkernel http://h/k\nboot\n");
        wire.wait(3600).http("/t", missing).ends_later(60);
        is_delivered(wire, "cannot fetch http://h/t");
    }
    SECTION("but at once it is the boot's") {
        Wire wire = with_kernel("#!ipxe\nkernel http://h/k\nboot\n");
        wire.http("/t", missing).ends_later(60);
        wire.gets(ExitCode::fetch_failed, "http://h/t");
    }
}

TEST_CASE("a boot over IPv6 alone") {
    Wire wire;
    const std::string boots = option6(61, be16(7));
    wire.see(dhcp6(true, 1, boots));
    SECTION("that may still be answered") {
        wire.ends_later(1).gets(ExitCode::ok, "the capture ends");
    }
    SECTION("that nobody answers") {
        wire.ends_later(20).gets(ExitCode::no_offer, "no DHCPv6 server answered");
        CHECK(wire.boot().record.reached(boot::Stage::discover));
    }
    SECTION("that names no file") {
        wire.see(dhcp6(false, 7, address6)).ends_later(20);
        wire.gets(ExitCode::nothing_to_boot, "DHCPv6 gave an address and named nothing");
    }
    SECTION("whose file is not asked for") {
        wire.see(dhcp6(false, 7, address6 + option6(59, "tftp://[fd00::1]/n"))).ends_later(20);
        wire.gets(ExitCode::boot_timeout, "no request for tftp://[fd00::1]/n");
    }
}

TEST_CASE("of a VM of one's own, DHCP after the firmware's proves no system, and DHCPv6 is no stage") {
    for (const boot::Subject subject : {boot::Subject::vm, boot::Subject::captured}) {
        boot::Timeline timeline{{{"net0", guest}}, subject};
        double at = 0;
        for (const std::string& frame : {dhcp6(true, 1, option6(61, be16(7))), dhcp(true, 1, as_firmware),
                                         of_xid(dhcp(true, 1, as_system), 2)}) {
            const auto packet = boot::decode_frame(bytes_of(frame));
            REQUIRE(packet);
            timeline.packet(at += 1, 0, *packet);
        }
        const bool captured = subject == boot::Subject::captured;
        CHECK(timeline.boot().reached(boot::Stage::kernel) == captured);
        CHECK(contains(timeline.boot().marks.at(1).detail, "DHCPv6") == captured);
    }
}

}  // namespace
}  // namespace vml::capture::test
