// What boot programs look for: one line of the story for a search, and nothing hidden.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/bootwatch_machine.h"

namespace vml::boot {
namespace {

using namespace test;

std::vector<std::string> fetches_told(Machine& machine) {
    std::vector<std::string> lines;
    for (const Mark& mark : machine.timeline.boot().marks) {
        if (mark.stage == Stage::fetch) {
            lines.push_back(mark.detail);
        }
    }
    return lines;
}

Machine with_pxelinux() {
    Machine machine{false};
    machine.has_address(option(67, "pxelinux.0"), option(60, "PXEClient:Arch:00000"))
        .tftp("pxelinux.0", "\1\2\3");
    return machine;
}

TEST_CASE("pxelinux looks for its configuration: one line, and what it took") {
    Machine machine = with_pxelinux();
    for (const char* name : {"564d", "01-52", "0A000002", "0A00000", "0A0000"}) {
        machine.no_tftp(std::string{"pxelinux.cfg/"} + name, 1, "File not found");
    }
    machine.tftp("pxelinux.cfg/default", "DEFAULT x\n");
    const auto lines = fetches_told(machine);
    REQUIRE(lines.size() == 3);
    CHECK(lines[1] == "tftp://10.0.0.1/pxelinux.cfg/: looked for 5 names from 564d to 0A0000, took default");
    CHECK(contains(lines[2], "pxelinux.cfg/default: 10 bytes"));
    CHECK(machine.timeline.boot().fetches.size() == 7);
}

TEST_CASE("a search that found nothing, over several folders") {
    Machine machine = with_pxelinux();
    machine.no_tftp("x86_64-efi/command.lst", 1, "x")
        .no_tftp("x86_64-efi/fs.lst", 1, "x")
        .no_tftp("grub.cfg", 1, "x");
    machine.stops();
    const auto lines = fetches_told(machine);
    REQUIRE(lines.size() == 2);
    CHECK(lines[1] ==
          "tftp://10.0.0.1/: looked for 3 names from x86_64-efi/command.lst to grub.cfg, none is there");
}

TEST_CASE("one or two files that are not there have lines of their own, in their order") {
    Machine machine = with_pxelinux();
    machine.no_tftp("revocations.efi", 1, "not there")
        .tftp("grubx64.efi", "\1\2")
        .no_tftp("grub.cfg", 1, "not there");
    machine.stops();
    const auto lines = fetches_told(machine);
    REQUIRE(lines.size() == 4);
    CHECK(lines[1] == "tftp://10.0.0.1/revocations.efi: not there");
    CHECK(contains(lines[2], "grubx64.efi: 2 bytes"));
    CHECK(lines[3] == "tftp://10.0.0.1/grub.cfg: not there");
}

TEST_CASE("a failure that is no search is told at once") {
    Machine script;  // of iPXE's own
    script.has_address().tftp("boot.ipxe", "#!ipxe\n").no_http("/a").no_http("/b").no_http("/c");
    CHECK(fetches_told(script).size() == 4);
    Machine denied = with_pxelinux();
    denied.no_tftp("a", 2, "x").no_tftp("b", 2, "x").no_tftp("c", 2, "x");
    CHECK(fetches_told(denied).size() == 4);
    Machine waiting = with_pxelinux();  // the same file again and again
    waiting.no_tftp("a", 1, "x").no_tftp("a", 1, "x").no_tftp("a", 1, "x").no_tftp("a", 1, "x");
    CHECK(fetches_told(waiting).size() == 5);
}

TEST_CASE("a search is told once something else is seen, or time has passed") {
    Machine machine = with_pxelinux();
    const auto told = [&](const std::string& frame, double at) {
        const auto packet = decode_frame(bytes_of(frame));
        REQUIRE(packet);
        return machine.timeline.packet(at, 0, *packet).size();
    };
    for (unsigned port = 3000; port < 3004; ++port) {
        CHECK(told(udp(true, port, 69, request("cfg/" + std::to_string(port))), 3) == 0);
        CHECK(told(udp(false, 3000, port, be16(5) + be16(1) + "x"), 3) == 0);
    }
    CHECK(told(arp_request(server_ip), 4) == 0);
    CHECK(contains(machine.timeline.boot().marks.back().detail, "looked for 4 names"));  // the record has it
    CHECK(told(arp_request(server_ip), 6) == 1);
}

const std::string as_pxe = option(60, "PXEClient:Arch:00007");

TEST_CASE("GRUB's prompt, where nobody types: its configuration is the question, and a menu is none") {
    for (const char* prompt : {"grub> ", "grub > ", "grub>grub>  ", "grub rescue> "}) {
        Machine machine{false};
        machine.has_address(option(67, "grub.efi"), as_pxe).tftp("grub.efi", "\1\2\3");
        machine.no_tftp("grub/grub.cfg", 1, "file not found");
        machine.timeline.partial(9, "   The highlighted entry will be executed automatically in 5s.");
        CHECK(machine.timeline.current_boot().outcome == Outcome::none);
        if (contains(prompt, "rescue")) {
            machine.timeline.partial(9, prompt);
        } else {  // the cursor is put elsewhere behind it
            machine.says(prompt);
        }
        machine.gets(ExitCode::not_bootable, "the boot ended in GRUB's prompt", "grub/grub.cfg", "grub.cfg");
    }
}

TEST_CASE("a loader whose kernel is not there waits for somebody to type; one that goes on does not") {
    const std::string error = "error: file `/nosuch' not found.";
    const auto begun = [] {
        Machine machine{false};
        machine.has_address(option(67, "grub.efi"), as_pxe).tftp("grub.efi", "\1\2\3");
        machine.tftp("grub/grub.cfg", "linux /nosuch\n");
        return machine;
    };
    Machine stuck = begun();
    stuck.no_tftp("nosuch", 1, "file not found");
    CHECK_FALSE(stuck.timeline.silence_would_end_it());
    stuck.says(error);
    CHECK(stuck.timeline.silence_would_end_it());
    stuck.timeline.silence(stuck.at + 120, stuck.at);
    stuck.gets(ExitCode::fetch_failed, "cannot fetch tftp://10.0.0.1/nosuch", error, "is the name right");

    Machine fallback = begun();
    fallback.no_tftp("nosuch", 1, "file not found").says(error).http("/k", linux_kernel());
    CHECK_FALSE(fallback.timeline.silence_would_end_it());
    Machine without_a_screen = begun();
    without_a_screen.http("/k", linux_kernel()).says("error: no suitable video mode found.");
    CHECK_FALSE(without_a_screen.timeline.silence_would_end_it());
}

TEST_CASE("pxelinux that finds no configuration says so, and its reset is not waited for") {
    Machine machine;
    machine.has_address(option(67, "pxelinux.0")).tftp("pxelinux.0", "\1\2\3");
    machine.no_tftp("pxelinux.cfg/default", 1, "file not found").says("Unable to locate configuration file");
    CHECK(machine.timeline.current_boot().outcome == Outcome::none);
    machine.says("Boot failed: press a key to retry, or wait for reset...");
    machine.gets(ExitCode::fetch_failed, "cannot fetch tftp://10.0.0.1/pxelinux.cfg/default",
                 "Unable to locate configuration file", "is the name right");
}

// Behind syslinux.efi's words there is no newline.
const std::string no_ldlinux = "Failed to load ldlinux.e64";
const std::string ipxe_ends = "Could not boot image: Error 0x7f048281 (http://ipxe.org/7f048281)";
const std::string pxe_failed =
    "BdsDxe: failed to load Boot0001 \"UEFI PXEv4 (MAC:525400000001)\" from x: Not Found";

TEST_CASE("syslinux.efi by iPXE, which leaves it no network; a program that comes after it") {
    const auto begun = [](const std::string& after) {
        Machine machine;
        machine.about.uefi = true;
        machine.has_address(option(67, "boot.ipxe")).tftp("boot.ipxe", "#!ipxe\nchain syslinux.efi\n");
        return machine.tftp("syslinux.efi", "\1\2\3").says(no_ldlinux + after);
    };
    Machine failed = begun(ipxe_ends);
    failed.says(pxe_failed);
    failed.gets(ExitCode::not_bootable, "tftp://10.0.0.1/syslinux.efi did not boot",
                "it says \"" + no_ldlinux + "\", and asked the network for nothing; iPXE's error 7f048281",
                "--no-ipxe");
    Machine other = begun("Could not boot: Error 0x7f048281 (http://ipxe.org/7f048281)");
    other.tftp("other.efi", "\1\2\3\4").says(ipxe_ends).says(pxe_failed);
    CHECK_FALSE(contains(other.verdict().why, no_ldlinux));
    Machine runs = begun("Could not boot: Error 0x7f048281 (http://ipxe.org/7f048281)");
    runs.http("/k", linux_kernel()).says("Linux version 6 (x)").is_out_of_time(60);
    runs.gets(ExitCode::boot_timeout, "the boot went no further", "Linux version 6");
}

TEST_CASE("syslinux.efi by the firmware, without its ldlinux.e64: the firmware's words stand on its line") {
    Machine machine{false};
    machine.about.uefi = true;
    machine.says(">>Start PXE over IPv4.").has_address(option(67, "syslinux.efi"), as_pxe);
    machine.tftp("syslinux.efi", "\1\2\3")
        .no_tftp("ldlinux.e64", 1, "file not found")
        .says(no_ldlinux + pxe_failed);
    CHECK(machine.timeline.current_boot().outcome == Outcome::gave_up);
    machine.gets(ExitCode::fetch_failed, "cannot fetch tftp://10.0.0.1/ldlinux.e64",
                 "the boot loader says \"" + no_ldlinux + "\"", "is the name right");
}

TEST_CASE("what a system prints is no loader's prompt") {
    for (const char* prompt : {"grub> ", "grub > ", "grub>grub>  ", "iPXE> "}) {
        Machine machine;
        machine.has_address().tftp("boot.ipxe", "#!ipxe\n").says("Linux version 6.1.0 (x)");
        machine.timeline.partial(9, prompt);
        CHECK(machine.timeline.current_boot().outcome == Outcome::none);
    }
}

}  // namespace
}  // namespace vml::boot
