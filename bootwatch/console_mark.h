// What one line of the serial console shows of a boot. Pure.
//
// Sources of the texts: SeaBIOS src/boot.c and src/fw; edk2 MdeModulePkg/Universal/BdsDxe and
// Library/UefiBootManagerLib, NetworkPkg/UefiPxeBcDxe and HttpBootDxe, ShellPkg; iPXE src/usr/autoboot.c,
// ifmgmt.c, imgmgmt.c, route_ipv4.c, src/core/main.c, src/hci/shell.c, src/arch/x86/prefix/romprefix.S; Linux
// init/main.c, kernel/panic.c, drivers/firmware/efi/libstub; and a look at what they print.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vml::boot {

enum class ConsoleSign {
    firmware,            // its version
    firmware_client,     // the firmware's own PXE or HTTP client begins
    firmware_failed,     // the firmware could not load or start a boot option
    firmware_error,      // "PXE-E18: …"
    next_device,         // the firmware goes on to a disk or a CD-ROM
    no_bootable_device,  // the firmware has nothing left
    firmware_shell,      // UEFI's shell or boot menu
    rom_found,           // iPXE's ROM was initialised
    ipxe_runs,           // its banner, with the version
    ipxe_prompt,         // "Press Ctrl-B …": it waits for a key
    ipxe_link_up,
    ipxe_link_down,
    ipxe_address,
    ipxe_fetched,   // "vmlinuz... ok"
    ipxe_script,    // "boot.ipxe : 135 bytes [script]"
    ipxe_error,     // a line with an error number
    ipxe_word,      // what a command says before it fails: "foo: command not found"
    ipxe_usage,     // how a command is used, which it shows before it fails: its name
    ipxe_gives_up,  // "No more network devices"
    ipxe_shell,
    grub_shell,
    loader_error,    // GRUB or pxelinux could not do what its configuration says
    loader_gave_up,  // pxelinux waits for a key, or for a reset in minutes
    kernel,          // Linux's version, or the last word of its EFI stub
    efi_stub,    // another line of the EFI stub: the kernel has the machine only once it left the firmware
    stub_error,  // the EFI stub gives up
    panic,
    init,   // Linux starts its first program
    login,  // a getty's prompt
};

struct ConsoleMark {
    ConsoleSign sign = ConsoleSign::firmware;
    std::string text;                       // the version, the address, the name; else the line
    std::optional<std::uint32_t> number{};  // iPXE's error number

    bool operator==(const ConsoleMark&) const = default;
};

[[nodiscard]] std::optional<ConsoleMark> mark_in_line(std::string_view line);

// The same for a line that is not whole: prompts, and last words that no newline follows.
[[nodiscard]] std::optional<ConsoleMark> mark_in_partial(std::string_view line);

// syslinux.efi's last words, behind which there is no newline: how many bytes of this line they are, 0 where
// it does not begin with them. What follows is a line of iPXE's or the firmware's.
[[nodiscard]] std::size_t unended_words(std::string_view line);

// SeaBIOS's serial console breaks lines after 80 columns: is this one half of a line with an error number?
[[nodiscard]] bool is_cut_short(std::string_view line);

}  // namespace vml::boot
