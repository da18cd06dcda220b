// Lines of the serial console → signs of a boot.
#include <optional>
#include <string>

#include "bootwatch/console_mark.h"
#include "bootwatch/stage.h"
#include "tests/unit/catch.h"

namespace vml::boot {
namespace {

std::optional<ConsoleMark> seen(ConsoleSign sign, std::string text) {
    return ConsoleMark{sign, std::move(text), std::nullopt};
}

TEST_CASE("firmware: versions, its own network clients, what it could not load, what comes next") {
    CHECK(mark_in_line("SeaBIOS (version 1.16.2-debian-1.16.2-1)") ==
          seen(ConsoleSign::firmware, "SeaBIOS 1.16.2-debian-1.16.2-1"));
    CHECK(mark_in_line("SeaBIOS (version cut") == std::nullopt);
    CHECK(mark_in_line("UEFI firmware (version 2025.02-8+deb13u1 built at 18:06:17 on Nov  8 2025)") ==
          seen(ConsoleSign::firmware, "edk2 2025.02-8+deb13u1"));
    CHECK(mark_in_line("UEFI firmware (version  built at 13:10:49 on Nov  5 2024)") ==
          seen(ConsoleSign::firmware, "edk2"));
    CHECK(mark_in_line("UEFI firmware (version cut") == std::nullopt);
    CHECK(mark_in_line(">>Start PXE over IPv4.") ==
          seen(ConsoleSign::firmware_client, "Start PXE over IPv4."));
    CHECK(mark_in_line("say >>Start PXE") == std::nullopt);
    CHECK(mark_in_line("  PXE-E18: Server response timeout.") ==
          seen(ConsoleSign::firmware_error, "PXE-E18: Server response timeout."));
    CHECK(mark_in_line("BdsDxe: failed to load Boot0001 \"UEFI PXEv4 (MAC:52F6)\" from X: Not Found") ==
          seen(ConsoleSign::firmware_failed,
               "failed to load Boot0001 \"UEFI PXEv4 (MAC:52F6)\" from X: Not Found"));
    CHECK(mark_in_line("BdsDxe: loading Boot0001 \"UEFI PXEv4\" from X") ==
          seen(ConsoleSign::firmware, "UEFI"));
    CHECK(mark_in_line("BdsDxe: starting Boot0001 \"UEFI PXEv4 (MAC:52F6)\" from X") ==
          seen(ConsoleSign::firmware, "UEFI"));
    CHECK(mark_in_line("BdsDxe: starting Boot0003 \"UEFI Misc Device\" from PciRoot(0x0)/Pci(0x3,0x0)") ==
          seen(ConsoleSign::next_device, "UEFI Misc Device"));
    CHECK(mark_in_line("Booting from Hard Disk...") == seen(ConsoleSign::next_device, "the hard disk"));
    CHECK(mark_in_line("Booting from DVD/CD...") == seen(ConsoleSign::next_device, "the CD-ROM"));
    CHECK(mark_in_line("Booting from ROM...") == std::nullopt);
}

TEST_CASE("the end of the road, also in a line that no newline ends") {
    for (const char* line :
         {"No bootable device.", "Press Ctrl-B for the iPXE command line...    No bootable device."}) {
        CAPTURE(line);
        CHECK(mark_in_partial(line) == seen(ConsoleSign::no_bootable_device, "No bootable device."));
        CHECK(mark_in_line(line) == seen(ConsoleSign::no_bootable_device, "No bootable device."));
    }
    CHECK(mark_in_partial("iPXE> ") == seen(ConsoleSign::ipxe_shell, "iPXE>"));
    for (const auto& look : {mark_in_partial, mark_in_line}) {
        CHECK(look("grub> ") == seen(ConsoleSign::grub_shell, "grub>"));
    }
    for (const char* twice : {"grub > ", "grub>grub>  "}) {  // on the screen and the serial port
        CHECK(mark_in_partial(twice) == seen(ConsoleSign::grub_shell, "grub>"));
    }
    CHECK(mark_in_partial("grub rescue> ") == seen(ConsoleSign::grub_shell, "grub rescue>"));
    CHECK(mark_in_partial("grub> linux /vmlinuz") == std::nullopt);
    CHECK(mark_in_partial("Shell> ") == seen(ConsoleSign::firmware_shell, "Shell>"));
    CHECK(mark_in_partial("No boot") == std::nullopt);
    CHECK(mark_in_partial("iPXE> dhcp") == std::nullopt);
    CHECK(mark_in_partial("Press Ctrl-B for the iPXE command line...")->sign == ConsoleSign::ipxe_prompt);
}

TEST_CASE("iPXE: found, running, its link") {
    CHECK(mark_in_line("iPXE (http://ipxe.org) 00:01.0 C000 PCI2.10 PnP PMM")->sign ==
          ConsoleSign::rom_found);
    CHECK(mark_in_line("iPXE 1.21.1+ (g123) -- Open Source Network Boot Firmware -- http://ipxe.org") ==
          seen(ConsoleSign::ipxe_runs, "iPXE 1.21.1+ (g123)"));
    CHECK(mark_in_line("iPXE initialising devices...ok") == std::nullopt);
    CHECK(mark_in_line("  [Link:up, TX:0 TXE:0 RX:0 RXE:0]")->sign == ConsoleSign::ipxe_link_up);
    CHECK(mark_in_line("  [Link:down, TX:0 TXE:0 RX:0 RXE:0]")->sign == ConsoleSign::ipxe_link_down);
}

TEST_CASE("an address that iPXE got") {
    CHECK(mark_in_line("net0: 10.0.2.15/255.255.255.0 gw 10.0.2.2") ==
          seen(ConsoleSign::ipxe_address, "10.0.2.15/255.255.255.0 gw 10.0.2.2"));
    CHECK(mark_in_line("net12: 192.168.1.5/255.255.255.0") ==
          seen(ConsoleSign::ipxe_address, "192.168.1.5/255.255.255.0"));
    for (const char* line : {"net0: fe80::50e2:85ff:fed0:d167/64",
                             "net0: 52:e2:85:d0:d1:67 using virtio-net on 0000:00:01.0 (open)",
                             "net: 10.0.2.15/8", "net0 10.0.2.15/8", "net0:10.0.2.15/8", "xnet0: 10.0.2.15/8",
                             "net0", "net0: ", "net0: /8", "network: 1.2.3.4/8"}) {
        CAPTURE(line);
        CHECK(mark_in_line(line) == std::nullopt);
    }
}

TEST_CASE("what iPXE fetched, and the scripts among it") {
    CHECK(mark_in_line("tftp://10.0.2.2/boot.ipxe... ok") ==
          seen(ConsoleSign::ipxe_fetched, "tftp://10.0.2.2/boot.ipxe"));
    CHECK(mark_in_line("vmlinuz... 37%     76%     ok") == seen(ConsoleSign::ipxe_fetched, "vmlinuz"));
    CHECK(mark_in_line("boot.ipxe : 135 bytes [script]") == seen(ConsoleSign::ipxe_script, "boot.ipxe"));
    for (const char* line : {"Configuring (net0 52:e2:85:d0:d1:67)...... ok", "... ok", "vmlinuz... 87%",
                             "two words... ok", "vmlinuz... ok?", "vmlinuz...ok"}) {
        CAPTURE(line);
        CHECK(mark_in_line(line) == std::nullopt);
    }
}

TEST_CASE("iPXE's errors carry their number; its statistics are none") {
    const auto mark =
        mark_in_line("tftp://10.0.2.2/x... No such file or directory (http://ipxe.org/2d12603b)");
    REQUIRE(mark);
    CHECK(mark->sign == ConsoleSign::ipxe_error);
    CHECK(mark->number == 0x2d12603bU);
    CHECK(mark_in_line("  [RXE: 2 x \"Operation not supported (http://ipxe.org/3c046083)\"]") ==
          std::nullopt);
    CHECK(mark_in_line("No more network devices")->sign == ConsoleSign::ipxe_gives_up);
    CHECK(is_cut_short("tftp://10.77.0.1/nosuch.ipxe... No such file or directory (http://ipxe.org/2d126"));
    CHECK_FALSE(is_cut_short("tftp://10.77.0.1/x... No such file (http://ipxe.org/2d126"));
    CHECK_FALSE(is_cut_short(std::string(60, 'x') + "(a whole parenthesis of a line) and more"));
}

TEST_CASE("what a command of iPXE says before it fails") {
    for (const char* line : {"foo: command not found", ": command not found", "Unrecognised option \"--x\"",
                             "Option \"name\" requires an argument", "\"x\": invalid integer value",
                             "\"net7\": no such network device", "No image selected"}) {
        CAPTURE(line);
        CHECK(mark_in_line(line) == seen(ConsoleSign::ipxe_word, line));
    }
    CHECK(mark_in_line("See https://ipxe.org/cmd/kernel for further information") ==
          seen(ConsoleSign::ipxe_usage, "kernel"));
    CHECK(mark_in_line("sh: foo: command not found") == std::nullopt);
    CHECK(mark_in_line("\"x\": something") == std::nullopt);
}

TEST_CASE("Linux: its kernel, its panic, its first program") {
    CHECK(mark_in_line("[    0.000000] Linux version 6.1.0-56-cloud-amd64 (debian@lists) (gcc) #1") ==
          seen(ConsoleSign::kernel, "Linux version 6.1.0-56-cloud-amd64"));
    CHECK(mark_in_line("EFI stub: Exiting boot services...") ==
          seen(ConsoleSign::kernel, "EFI stub: Exiting boot services..."));
    CHECK(mark_in_line("debian login:") == seen(ConsoleSign::login, "debian login:"));
    CHECK(mark_in_partial("debian login: ") == seen(ConsoleSign::login, "debian login:"));
    CHECK(mark_in_line("[    3.886513] Run /init as init process") == seen(ConsoleSign::init, "/init"));
    CHECK(mark_in_line("[ 1.0] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs ]---") ==
          seen(ConsoleSign::panic, "VFS: Unable to mount root fs"));
    CHECK(mark_in_line("Run it") == std::nullopt);
}

TEST_CASE("the EFI stub is a program of the firmware until it leaves it") {
    for (const char* line :
         {"EFI stub: Booting Linux Kernel...", "EFI stub: Using DTB from configuration table",
          "EFI stub: Loaded initrd from LINUX_EFI_INITRD_MEDIA_GUID device path",
          "EFI stub: WARNING: Failed to measure data for event 1: 0x8000000000000003",
          "EFI stub: UEFI Secure Boot is enabled."}) {
        CAPTURE(line);
        CHECK(mark_in_line(line) == seen(ConsoleSign::efi_stub, line));
    }
    CHECK(mark_in_line("EFI stub: ERROR: Failed to open file: initrd.img") ==
          seen(ConsoleSign::stub_error, "EFI stub: ERROR: Failed to open file: initrd.img"));
}

TEST_CASE("boot loaders that cannot go on") {
    for (const char* line :
         {"error: file `/nosuch' not found.", "Unable to locate configuration file",
          "Loading nosuch... failed: No such file or directory",
          "Loading nosuch...Loading nosuch...  failed:failed:  No such fileNo such file"}) {
        CAPTURE(line);
        CHECK(mark_in_line(line) == seen(ConsoleSign::loader_error, line));
    }
    CHECK(mark_in_line("Boot failed: press a key to retry, or wait for reset...")->sign ==
          ConsoleSign::loader_gave_up);
    CHECK(mark_in_line("Loading vmlinuz... ok") == std::nullopt);
    CHECK(mark_in_line("error: you need to load the kernel first.") ==
          std::nullopt);  // that one has come before
}

TEST_CASE("pxelinux's doubled line is whole, as long as it is") {
    CHECK_FALSE(
        is_cut_short("Loading nosuch...Loading nosuch...  failed:failed:  No such file or directorNo such "
                     "file or directoryy"));
}

TEST_CASE("syslinux.efi's words, behind which another line begins") {
    CHECK(unended_words("Failed to load ldlinux.e64BdsDxe: failed to start") == 26);
    CHECK(unended_words("Failed to load ldlinux.e64") == 26);
    CHECK(unended_words("Failed to load ldlinux.c32") == 0);
    CHECK(unended_words("Failed to load ldlinux.e") == 0);
    CHECK(unended_words("") == 0);
}

TEST_CASE("lines that show nothing") {
    for (const char* line : {"", " ", "login:", " login:", "iPXE: x login:", "Filename: boot.ipxe",
                             "Next server: 10.0.2.2", "[    0.000000] Command line: initrd=initrd.gz"}) {
        CAPTURE(line);
        CHECK(mark_in_line(line) == std::nullopt);
    }
}

TEST_CASE("stages have names that can be asked for") {
    for (int i = 0; i <= static_cast<int>(Stage::agent); ++i) {
        const auto stage = static_cast<Stage>(i);
        CHECK(stage_named(name_of(stage)) == stage);
        CHECK_FALSE(title_of(stage).empty());
    }
    CHECK(stage_named("dhcp") == Stage::address);
    CHECK(stage_named("DHCP") == std::nullopt);
    CHECK(stage_named("") == std::nullopt);
}

}  // namespace
}  // namespace vml::boot
