// Rows of docs/verdicts.md whose evidence is easily mistaken: in frames made by hand, each beside the healthy
// boot that shows the same.
#include <algorithm>
#include <string>

#include "tests/unit/bootwatch_machine.h"

namespace vml::boot {
namespace {

using namespace test;

std::string to_port_4011(std::string frame) {
    constexpr std::size_t target_port = 14 + 20 + 2;
    return frame.replace(target_port, 2, be16(4011));
}

std::string from_port_4011(std::string frame) {
    constexpr std::size_t source_port = 14 + 20;
    return frame.replace(source_port, 2, be16(4011));
}

TEST_CASE("ProxyDHCP: port 4011 that is dead, one that answers, and a file in the offer itself") {
    const std::string proxy_offer = dhcp(false, 2, option(60, "PXEClient") + option(54, be32(server_ip)));
    const auto boot = [&](bool answers, bool fetches) {
        Machine machine;
        machine.discovers().see(dhcp(false, 2, "", guest_ip)).see(proxy_offer);
        machine.see(dhcp(true, 3, as_ipxe)).see(dhcp(false, 5, "", guest_ip));
        for (int turn = 0; turn < 3; ++turn) {
            machine.see(to_port_4011(dhcp(true, 3, as_ipxe)));
        }
        if (answers) {
            machine.see(from_port_4011(dhcp(false, 5, option(60, "PXEClient") + option(67, "boot.ipxe"))));
        }
        if (fetches) {
            machine.tftp("boot.ipxe", "#!ipxe\n");
        }
        return machine.stops().verdict();
    };
    const Fault dead = boot(false, false);
    CHECK(dead.code == ExitCode::nothing_to_boot);
    CHECK(contains(dead.what, "the ProxyDHCP server 10.0.0.1 does not answer at port 4011"));
    CHECK(contains(dead.why, "asked there 3 times"));
    CHECK_FALSE(contains(boot(true, false).what, "4011"));
    CHECK_FALSE(contains(boot(false, true).what, "4011"));
}

// A file by TFTP in blocks of 512 bytes, as a client without options gets it.
void tftp_by_512(Machine& machine, const std::string& file, const std::string& content, unsigned port) {
    ++machine.port;
    machine.see(udp(true, machine.port, port, request(file)));
    for (std::size_t at = 0, number = 1; at <= content.size(); at += 512, ++number) {
        machine.see(udp(false, 3000, machine.port,
                        be16(3) + be16(static_cast<unsigned>(number)) + content.substr(at, 512)));
    }
}

TEST_CASE(
    "TFTP in blocks of 512 bytes, on another port: a kernel is no EFI program, an EFI program no kernel") {
    for (const unsigned port : {69U, 6969U}) {
        CAPTURE(port);
        Machine machine;
        machine.has_address().tftp("boot.ipxe", "#!ipxe\n");
        tftp_by_512(machine, "vmlinuz", linux_kernel() + std::string(700, 'x'), port);
        const Fetch& kernel = machine.timeline.boot().fetches.back();
        CHECK(kernel.content == Content::x86_kernel);
        CHECK(kernel.received == linux_kernel().size() + 700);
        machine.is_out_of_time(30);
        machine.gets(ExitCode::boot_timeout,
                     port == 69 ? "of the kernel tftp://10.0.0.1/vmlinuz"
                                : "of the kernel tftp://10.0.0.1:6969/vmlinuz",
                     "may run without a word");
        Machine program;
        std::string head(600, 'x');
        head.replace(0, 2, "MZ").replace(0x3C, 4, std::string{"\x80\0\0\0", 4});
        head.replace(0x80, 6, std::string{"PE\0\0\x64\x86", 6});
        program.has_address();
        tftp_by_512(program, "x.efi", head, port);
        program.stops();
        program.gets(ExitCode::not_bootable, "/x.efi did not boot", "an EFI program for x86_64",
                     "--firmware uefi");
    }
}

TEST_CASE("tftpd-hpa that wants whole paths is told from a file that it may not read") {
    Machine absolute;
    absolute.has_address().no_tftp("boot.ipxe", 2, "Only absolute filenames allowed").stops();
    absolute.gets(ExitCode::fetch_failed, "cannot fetch tftp://10.0.0.1/boot.ipxe",
                  "Only absolute filenames allowed", "with its whole path (/srv/tftp/FILE)");
    Machine forbidden;
    forbidden.has_address().no_tftp("boot.ipxe", 2, "Access violation").stops();
    forbidden.gets(ExitCode::fetch_failed, "cannot fetch tftp://10.0.0.1/boot.ipxe", "Access violation",
                   "may 10.0.0.1's server read the file");
}

TEST_CASE("HTTP on port 8080: refused it is named as iPXE does, and answered it is HTTP") {
    const std::string error = "Connection refused (http://ipxe.org/0e0a6039)";
    Machine refused;
    refused.has_address().tftp("boot.ipxe", "#!ipxe\nkernel http://10.0.0.1:8080/k\n");
    refused.see(tcp(true, 4000, 8080, 100, syn)).see(tcp(false, 4000, 8080, 0, rst | ack));
    refused.says("http://10.0.0.1:8080/k... " + error).says("Could not boot image: " + error).stops();
    refused.gets(ExitCode::fetch_failed, "cannot fetch http://10.0.0.1:8080/k", "nobody listens there",
                 "is a server running at port 8080 of 10.0.0.1");
    Machine answered;
    answered.has_address()
        .connects(8080)
        .asks(8080, "/k")
        .answers(8080, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    answered.stops();
    answered.gets(ExitCode::fetch_failed, "cannot fetch http://h:8080/k", "404", "is the name right");
}

TEST_CASE("LOCALBOOT under UEFI: the disk was meant") {
    const auto boot = [] {
        Machine machine{false};
        machine.about.uefi = true;
        machine.has_address(option(67, "syslinux.efi"), option(60, "PXEClient:Arch:00007"));
        machine.tftp("syslinux.efi", "\1\2\3").tftp("pxelinux.cfg/default", "LOCALBOOT -1\n");
        machine.says(
            "BdsDxe: failed to start Boot0001 \"UEFI PXEv4 (MAC:525400000001)\" from PciRoot(0x0): Aborted");
        return machine.says("BdsDxe: starting Boot0002 \"UEFI Misc Device\" from PciRoot(0x0)/Pci(0x3,0x0)");
    };
    Machine silent = boot();  // the disk's own system says nothing
    silent.is_out_of_time(60);
    silent.gets(ExitCode::boot_timeout, "the boot went no further", "");
    Machine system = boot();
    system.says("Linux version 6 (x)").is_out_of_time(60);
    system.gets(ExitCode::boot_timeout, "the boot went no further", "Linux version 6");
    Machine nothing = boot();  // and no disk that boots
    nothing.says("BdsDxe: No bootable option or device was found.");
    nothing.gets(ExitCode::not_bootable, "tftp://10.0.0.1/syslinux.efi did not boot", "No bootable option");
}

TEST_CASE("a chunked script is a script, whose lines are known") {
    const std::string script = "#!ipxe\necho hello\niseq 1 2\n";
    const auto boot = [&](std::size_t first, const std::string& last) {
        const auto chunk = [](const std::string& data) {
            constexpr const char* digits = "0123456789abcdef";
            return std::string{digits[data.size() / 16]} + digits[data.size() % 16] + "\r\n" + data + "\r\n";
        };
        Machine machine;
        machine.has_address().connects(80).asks(80, "/boot.ipxe");
        machine.answers(80, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                                chunk(script.substr(0, first)) + chunk(script.substr(first)) + last);
        machine.says("Could not boot image: Result too large (http://ipxe.org/46022001)").stops();
        return machine;
    };
    for (const std::size_t first : {3U, 6U, 7U, 20U}) {
        CAPTURE(first);
        Machine machine = boot(first, "0\r\n\r\n");
        machine.gets(ExitCode::not_bootable, "the script boot.ipxe ended at a condition",
                     "boot.ipxe, line 3: iPXE's error");
        const Fetch& fetch = machine.timeline.boot().fetches.back();
        CHECK(fetch.content == Content::ipxe_script);
        CHECK(fetch.received == script.size());
        CHECK(fetch.text == script);
    }
    Machine cut = boot(7, "");  // its last chunk is under way
    CHECK(cut.timeline.boot().fetches.back().state == FetchState::receiving);
}

}  // namespace
}  // namespace vml::boot
