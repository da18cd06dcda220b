#include "bootwatch/console_mark.h"

#include <algorithm>
#include <array>

#include "bootwatch/ipxe_error.h"

namespace vml::boot {

namespace {

using Found = std::optional<ConsoleMark>;
using namespace std::string_view_literals;

std::string_view trimmed(std::string_view line) {
    const std::size_t first = line.find_first_not_of(" \t");
    const std::size_t last = line.find_last_not_of(" \t");
    return first == std::string_view::npos ? std::string_view{} : line.substr(first, last - first + 1);
}

Found found(ConsoleSign sign, std::string_view text) {
    return ConsoleMark{sign, std::string{text}};
}

// The text between two marks of a line, if both are there.
std::optional<std::string_view> between(std::string_view line, std::string_view before,
                                        std::string_view after) {
    const std::size_t start = line.find(before);
    if (start == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view rest = line.substr(start + before.size());
    const std::size_t end = rest.find(after);
    return end == std::string_view::npos ? std::nullopt : std::optional{rest.substr(0, end)};
}

Found seabios(std::string_view line) {
    if (const auto version = between(line, "SeaBIOS (version ", ")")) {
        return found(ConsoleSign::firmware, std::string{"SeaBIOS "}.append(*version));
    }
    if (line.starts_with("Booting from Hard Disk")) {
        return found(ConsoleSign::next_device, "the hard disk");
    }
    if (line.starts_with("Booting from DVD/CD")) {
        return found(ConsoleSign::next_device, "the CD-ROM");
    }
    if (line.ends_with("No bootable device.") ||
        line.find("No bootable device.  Retrying") != std::string_view::npos) {
        return found(ConsoleSign::no_bootable_device, "No bootable device.");
    }
    return std::nullopt;
}

// BdsDxe: starting Boot0003 "UEFI Misc Device" from PciRoot(0x0)/Pci(0x2,0x0)
Found boot_option(std::string_view line) {
    if (line.starts_with("BdsDxe: failed to ")) {
        return found(ConsoleSign::firmware_failed, line.substr("BdsDxe: "sv.size()));
    }
    if (line.starts_with("BdsDxe: No bootable option or device was found")) {
        return found(ConsoleSign::no_bootable_device, line.substr("BdsDxe: "sv.size()));
    }
    constexpr std::array networks{"PXE"sv, "HTTP"sv, "iPXE"sv, "Net"sv, "MAC("sv, "Firmware"sv, "Fv("sv};
    const bool starting = line.starts_with("BdsDxe: starting ");
    const bool disk = std::none_of(networks.begin(), networks.end(), [&](std::string_view word) {
        return line.find(word) != std::string_view::npos;
    });
    if (const auto name = between(line, "\"", "\""); starting && disk && name) {
        return found(ConsoleSign::next_device, *name);
    }
    return line.starts_with("BdsDxe: ") ? found(ConsoleSign::firmware, std::string{"UEFI"}) : std::nullopt;
}

// edk2's ArmVirtPkg/Library/PlatformBootManagerLib/PlatformBm.c; OVMF has no such line, and Debian 12's build
// no version.
Found edk2_version(std::string_view line) {
    const auto version = between(line, "UEFI firmware (version ", " built at ");
    if (!version) {
        return std::nullopt;
    }
    return found(ConsoleSign::firmware, version->empty() ? "edk2" : std::string{"edk2 "}.append(*version));
}

Found uefi(std::string_view line) {
    if (auto banner = edk2_version(line)) {
        return banner;
    }
    if (line.starts_with(">>Start ")) {
        return found(ConsoleSign::firmware_client, line.substr(2));
    }
    if (line.starts_with("PXE-E") || line.starts_with("Error: Could not retrieve NBP file size") ||
        line.starts_with("Error: Server response timeout")) {
        return found(ConsoleSign::firmware_error, line);
    }
    if (line.starts_with("UEFI Interactive Shell")) {
        return found(ConsoleSign::firmware_shell, line);
    }
    return boot_option(line);
}

// iPXE's name, version and address of the web, which wraps at 80 columns.
Found ipxe_start(std::string_view line) {
    if (const auto version = between(line, "iPXE ", " -- Open Source Network Boot Firmware")) {
        return found(ConsoleSign::ipxe_runs, std::string{"iPXE "}.append(*version));
    }
    if (line.starts_with("iPXE (http")) {
        return found(ConsoleSign::rom_found, line);
    }
    if (line.find("[Link:up") != std::string_view::npos || line.starts_with("[Link status: Up")) {
        return found(ConsoleSign::ipxe_link_up, line);
    }
    if (line.find("[Link:down") != std::string_view::npos || line.starts_with("[Link status: Down")) {
        return found(ConsoleSign::ipxe_link_down, line);
    }
    return std::nullopt;
}

// "net0: 10.0.2.15/255.255.255.0 gw 10.0.2.2"
Found ipxe_address(std::string_view line) {
    const std::size_t digits = line.starts_with("net") ? line.find_first_not_of("0123456789", 3) : 3;
    if (digits == std::string_view::npos || digits == 3 || !line.substr(digits).starts_with(": ")) {
        return std::nullopt;
    }
    const std::string_view address = line.substr(digits + 2);
    const std::size_t slash = address.find('/');
    const bool ipv4 = slash != std::string_view::npos && slash > 0 &&
                      address.substr(0, slash).find_first_not_of("0123456789.") == std::string_view::npos;
    return ipv4 ? found(ConsoleSign::ipxe_address, address) : std::nullopt;
}

// "tftp://10.0.2.2/boot.ipxe... ok", "vmlinuz... 37% 76% ok"
Found ipxe_fetch(std::string_view line) {
    const std::size_t dots = line.find("..."sv);
    if (dots == std::string_view::npos || dots == 0 || !line.ends_with(" ok")) {
        return std::nullopt;
    }
    const std::string_view name = line.substr(0, dots);
    return name.find(' ') == std::string_view::npos ? found(ConsoleSign::ipxe_fetched, name) : std::nullopt;
}

Found ipxe_script(std::string_view line) {
    const std::size_t colon = line.find(" : "sv);
    return colon != std::string_view::npos && line.ends_with("[script]")
               ? found(ConsoleSign::ipxe_script, line.substr(0, colon))
               : std::nullopt;
}

// iPXE src/core/exec.c, src/core/parseopt.c, src/usr/imgmgmt.c
Found ipxe_word(std::string_view line) {
    if (const auto command = between(line, "ipxe.org/cmd/", " for further information");
        command && line.starts_with("See http")) {
        return found(ConsoleSign::ipxe_usage, *command);
    }
    // Not a system's shell, which names itself first.
    constexpr auto not_found = ": command not found"sv;
    const bool command =
        line.ends_with(not_found) && line.find_first_of(" :") == line.size() - not_found.size();
    const bool option = line.starts_with("Unrecognised option \"") || line.starts_with("Option \"");
    const bool value = line.starts_with('"') && (line.ends_with("\": invalid integer value") ||
                                                 line.find("\": no such ") != std::string_view::npos);
    return command || option || value || line == "No image selected" ? found(ConsoleSign::ipxe_word, line)
                                                                     : std::nullopt;
}

Found ipxe_end(std::string_view line) {
    // "[RXE: 2 x "Operation not supported (http://…)"]" counts frames that iPXE had no use for.
    const bool statistics = line.starts_with("[RXE:") || line.starts_with("[TXE:");
    if (const auto number = ipxe_error_in(line); number && !statistics) {
        return ConsoleMark{ConsoleSign::ipxe_error, std::string{line}, number};
    }
    if (line.starts_with("No more network devices")) {
        return found(ConsoleSign::ipxe_gives_up, line);
    }
    return ipxe_word(line);
}

// Behind its prompt GRUB's serial terminal puts the cursor by its own count of rows, which may end the line.
// Where GRUB writes to the screen too, and the firmware shows that on the same port, the prompt comes twice
// and in pieces: so GRUB 2.06 and 2.12 do it.
Found grub_shell(std::string_view line) {
    constexpr std::array of_both{"grub>grub>"sv, "grub >"sv};  // OVMF's console, SeaBIOS's
    const bool both = std::find(of_both.begin(), of_both.end(), line) != of_both.end();
    return both || line == "grub>" || line == "grub rescue>"
               ? found(ConsoleSign::grub_shell, both ? "grub>" : line)
               : std::nullopt;
}

// GRUB grub-core/kern/err.c and normal/menu.c; syslinux core/pxelinux.asm, core/elflink/load_env32.c and
// com32/elflink/ldlinux/execute.c. Where pxelinux writes to the screen and the serial port, and both are one,
// each word comes twice.
Found loader(std::string_view line) {
    if (line.starts_with("Boot failed: press a key")) {
        return found(ConsoleSign::loader_gave_up, line);
    }
    const bool pxelinux = line.starts_with("Unable to locate configuration file") ||
                          line.starts_with("Failed to load ldlinux") ||
                          (line.starts_with("Loading ") && line.find("failed:") != std::string_view::npos);
    const bool grub =
        line.starts_with("error: ") && line.find("load the kernel first") == std::string_view::npos;
    return pxelinux || grub ? found(ConsoleSign::loader_error, line) : std::nullopt;
}

// drivers/firmware/efi/libstub/: efi_info, efi_err and efi_warn put this before what they say; the last words
// are those of efi_exit_boot_services' callers. Of the others only errors matter; not each of them is the
// end.
Found efi_stub(std::string_view line) {
    if (line.starts_with("EFI stub: ERROR: ")) {
        return found(ConsoleSign::stub_error, line);
    }
    return found(
        line.starts_with("EFI stub: Exiting boot services") ? ConsoleSign::kernel : ConsoleSign::efi_stub,
        line);
}

// "debian login:": agetty and busybox's getty print the host's name before it.
bool is_login_prompt(std::string_view line) {
    constexpr auto words = " login:"sv;
    return line.ends_with(words) && line.size() > words.size() &&
           line.substr(0, line.size() - words.size()).find_first_of(" \t:") == std::string_view::npos;
}

Found linux_lines(std::string_view line) {
    if (const std::size_t at = line.find("Linux version "); at != std::string_view::npos) {
        const std::string_view rest = line.substr(at);
        return found(ConsoleSign::kernel, rest.substr(0, rest.find(" (")));
    }
    if (const std::size_t at = line.find("EFI stub: "); at != std::string_view::npos) {
        return efi_stub(line.substr(at));
    }
    if (const std::size_t at = line.find("Kernel panic - not syncing: "); at != std::string_view::npos) {
        const std::string_view words = line.substr(at + "Kernel panic - not syncing: "sv.size());
        return found(ConsoleSign::panic, trimmed(words.substr(0, words.find("]---"))));
    }
    if (const auto program = between(line, "Run ", " as init process")) {
        return found(ConsoleSign::init, *program);
    }
    return is_login_prompt(line) ? found(ConsoleSign::login, line) : std::nullopt;
}

}  // namespace

Found mark_in_line(std::string_view line) {
    line = trimmed(line);
    for (const auto& look : {seabios, uefi, ipxe_start, ipxe_address, ipxe_fetch, ipxe_script, ipxe_end,
                             grub_shell, loader, linux_lines}) {
        if (auto mark = look(line)) {
            return mark;
        }
    }
    return std::nullopt;
}

Found mark_in_partial(std::string_view line) {
    line = trimmed(line);
    if (line.ends_with("No bootable device.")) {
        return found(ConsoleSign::no_bootable_device, "No bootable device.");
    }
    if (is_login_prompt(line)) {
        return found(ConsoleSign::login, line);
    }
    if (line == "iPXE>") {
        return found(ConsoleSign::ipxe_shell, line);
    }
    if (auto shell = grub_shell(line)) {
        return shell;
    }
    if (line == "Shell>") {
        return found(ConsoleSign::firmware_shell, line);
    }
    // Not the ROM's own prompt, "Press Ctrl-B to configure iPXE", which does not wait.
    if (line.starts_with("Press Ctrl-B for the iPXE command line")) {
        return found(ConsoleSign::ipxe_prompt, line);
    }
    return std::nullopt;
}

std::size_t unended_words(std::string_view line) {
    constexpr auto words = "Failed to load ldlinux.e"sv;  // core/elflink/load_env32.c
    constexpr std::size_t whole = words.size() + 2;       // .e64 or .e32
    return line.starts_with(words) && line.size() >= whole ? whole : 0;
}

bool is_cut_short(std::string_view line) {
    constexpr std::size_t columns = 80;
    const std::size_t open = line.rfind('(');
    const bool unclosed = open != std::string_view::npos && line.find(')', open) == std::string_view::npos;
    const bool progress = line.find("...") != std::string_view::npos && !ipxe_error_in(line) &&
                          line.find("failed:") == std::string_view::npos;  // pxelinux's, which is whole
    return line.size() >= columns && line.size() < 2 * columns && (unclosed || progress);
}

}  // namespace vml::boot
