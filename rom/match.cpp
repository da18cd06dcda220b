#include "rom/match.h"

#include <algorithm>
#include <bit>
#include <optional>

#include <fmt/format.h>

namespace vml::rom {

namespace {

constexpr std::size_t rom_align = 2048;  // SeaBIOS, OPTION_ROM_ALIGN

std::string joined(const std::vector<PciId>& ids) {
    std::string text;
    for (const PciId id : ids) {
        text += (text.empty() ? "" : " or ") + to_string(id);
    }
    return text.empty() ? "no ID" : text;
}

bool contains(const std::vector<PciId>& ids, PciId id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// "x86 code for 1af4:1041", "EFI code (AArch64) for …"
std::string what_image_is(const Image& image) {
    if (image.code_type == CodeType::none) {
        return "without a PCI data structure";
    }
    const std::string machine = image.efi ? " (" + machine_name(image.efi->machine) + ")" : "";
    return fmt::format("{} code{} for {}", to_string(image.code_type), machine, to_string(image.id));
}

// ---- SeaBIOS ----

// PCI vendors 0000 and ffff are nobody; ROMs for a family of cards, as iPXE's for NE2000 clones, name such a
// one.
bool is_real(PciId id) {
    return id.vendor != 0 && id.vendor != 0xFFFF;
}

// Whether map_pcirom gets from this image to the next one: it goes by PCIR's length alone and ends at the
// last-image flag.
bool seabios_goes_on(const OptionRom& rom, std::size_t index) {
    const Image& image = rom.images[index];
    const bool next_is_there =
        index + 1 < rom.images.size() && rom.images[index + 1].offset == image.offset + image.length;
    return image.code_type != CodeType::none && !image.last && image.length > 0 && next_is_there;
}

bool seabios_takes(const Image& image, PciId id) {
    return image.code_type == CodeType::x86 && image.id == id;
}

// The image that SeaBIOS copies for a device with this ID. It tries no other one when that one turns out bad.
std::optional<std::size_t> seabios_choice(const OptionRom& rom, PciId id) {
    for (std::size_t i = 0; i < rom.images.size(); ++i) {
        if (seabios_takes(rom.images[i], id)) {
            return i;
        }
        if (!seabios_goes_on(rom, i)) {
            break;
        }
    }
    return std::nullopt;
}

std::size_t space_needed(const Image& image) {
    return (image.init_size + rom_align - 1) / rom_align * rom_align;
}

// Why SeaBIOS does not make a network boot entry of an image that it takes; empty when it does.
std::string boot_entry_fault(const Image& image) {
    if (!image.pnp) {
        return "it has no $PnP header, without which SeaBIOS makes no network boot entry";
    }
    if (image.pnp->endless) {
        return "its chain of $PnP headers has no end, and SeaBIOS would follow it for ever";
    }
    return image.pnp->bev == 0 ? "its $PnP header has no BEV, so it makes no network boot entry" : "";
}

// Why SeaBIOS refuses the bytes of an image that it takes; empty when it does not.
std::string load_fault(const Image& image, bool vga_present) {
    if (image.init_size == 0) {
        return "its initialisation size is 0, and SeaBIOS takes that for no ROM";
    }
    if (!image.checksum_ok) {
        return image.truncated ? "it is cut short, so its checksum cannot be right"
                               : "its checksum is bad, and SeaBIOS refuses such a ROM";
    }
    const std::size_t space = seabios_rom_space - (vga_present ? vga_rom_space : 0);
    if (space_needed(image) > space) {
        return fmt::format("it needs {} bytes of low memory; SeaBIOS has about {}{}", space_needed(image),
                           space, vga_present ? " left beside the VGA ROM" : "");
    }
    return "";
}

std::string seabios_fault(const Image& image, bool vga_present) {
    const std::string fault = load_fault(image, vga_present);
    return fault.empty() ? boot_entry_fault(image) : fault;
}

bool seabios_reaches(const OptionRom& rom, std::size_t index) {
    for (std::size_t i = 0; i < index; ++i) {
        if (!seabios_goes_on(rom, i)) {
            return false;
        }
    }
    return true;
}

std::string seabios_reason(const OptionRom& rom, std::size_t index, const Target& target) {
    const Image& image = rom.images[index];
    if (image.code_type == CodeType::none) {
        return "SeaBIOS runs no ROM without one on a PCI device";
    }
    if (image.code_type != CodeType::x86) {
        return "a BIOS runs x86 code only";
    }
    if (!is_real(image.id)) {
        return "no device shows this ID; QEMU writes the device's own into its default ROM only, not into a "
               "romfile=";
    }
    if (!contains(target.ids, image.id)) {
        return fmt::format("SeaBIOS compares this ID with the device's own, {}{}", joined(target.ids),
                           image.devices.empty() ? "" : ", and ignores the device list");
    }
    if (!seabios_reaches(rom, index)) {
        return "SeaBIOS does not get to it: an image before it is damaged or ends the list";
    }
    const std::string fault = seabios_fault(image, target.vga_present);
    return fault.empty() ? "SeaBIOS takes an earlier image with the same ID and tries no other" : fault;
}

std::optional<Fit> fit_seabios(const OptionRom& rom, const Target& target) {
    for (const PciId id : target.ids) {
        const auto choice = seabios_choice(rom, id);
        if (choice && seabios_fault(rom.images[*choice], target.vga_present).empty()) {
            return Fit{*choice, id, rom.problems};
        }
    }
    return std::nullopt;
}

// ---- UEFI (OVMF, AAVMF) ----

// LoadOpRomImage stops for good at an image that it cannot place; gaps before the next 55 AA are skipped.
bool uefi_can_place(const OptionRom& rom, const Image& image) {
    const std::size_t bar_size = std::bit_ceil(rom.file_size);
    return image.code_type != CodeType::none && image.pcir_offset % 4 == 0 &&
           image.offset + image.length <= bar_size;
}

// An image of length 0 that is not the last keeps LoadOpRomImage in its loop for ever, before any image is
// started.
bool uefi_hangs(const OptionRom& rom) {
    for (const Image& image : rom.images) {
        if (!uefi_can_place(rom, image)) {
            return false;
        }
        if (image.length == 0 && !image.last) {
            return true;
        }
    }
    return false;
}

bool uefi_reaches(const OptionRom& rom, std::size_t index) {
    const auto end = rom.images.begin() + static_cast<std::ptrdiff_t>(index) + 1;
    return std::all_of(rom.images.begin(), end,
                       [&rom](const Image& image) { return uefi_can_place(rom, image); });
}

std::uint16_t machine_of(Arch arch) {
    return arch == Arch::x86_64 ? 0x8664 : 0xAA64;
}

// ProcessOpRomImage and LocalLoadFile2: what the EFI header must say; empty when it does.
std::string efi_header_fault(const Efi& efi, Arch arch) {
    if (efi.machine != machine_of(arch)) {
        return fmt::format("the firmware needs {} code", machine_name(machine_of(arch)));
    }
    if (!efi.signature_ok) {
        return "it lacks the EFI signature 0x0ef1";
    }
    if (efi.subsystem != 0x0B && efi.subsystem != 0x0C) {
        return fmt::format("its subsystem is 0x{:02x}; a driver has 0x0b or 0x0c", efi.subsystem);
    }
    return efi.compression > 1 ? fmt::format("its compression type {} is unknown", efi.compression) : "";
}

std::string efi_size_fault(const Image& image, const Efi& efi) {
    if (image.init_size > image.length) {
        return fmt::format("its initialisation size {} exceeds its length {}", image.init_size, image.length);
    }
    if (efi.image_offset >= image.init_size) {
        return fmt::format("its program begins at 0x{:x}, outside the image", efi.image_offset);
    }
    if (image.truncated) {
        return "it is cut short";
    }
    if (!efi.packed_fault.empty()) {
        return efi.packed_fault;
    }
    if (efi.pe_ok) {
        return "";
    }
    return efi.unpacked_size ? "what it unpacks to is no PE program"
                             : fmt::format("there is no PE program at 0x{:x} in it", efi.image_offset);
}

// Why UEFI firmware does not start this image; empty when it does.
std::string uefi_fault(const OptionRom& rom, std::size_t index, Arch arch) {
    const Image& image = rom.images[index];
    if (!image.efi) {
        return "UEFI firmware starts EFI code only";
    }
    if (!uefi_reaches(rom, index)) {
        return "the firmware does not get to it: its PCI data structure, or that of an image before it, is "
               "damaged";
    }
    const std::string fault = efi_header_fault(*image.efi, arch);
    return fault.empty() ? efi_size_fault(image, *image.efi) : fault;
}

std::vector<PciId> ids_of(const Image& image) {
    std::vector<PciId> ids{image.id};
    for (const std::uint16_t device : image.devices) {
        ids.push_back({image.id.vendor, device});
    }
    return ids;
}

// UEFI firmware ignores the IDs. The driver inside does not: one made for another card leaves the NIC to the
// firmware's own PXE, which works and is not iPXE.
Fit uefi_fit(const OptionRom& rom, std::size_t index, const Target& target) {
    const Image& image = rom.images[index];
    const auto made_for = ids_of(image);
    const auto id = std::find_if(target.ids.begin(), target.ids.end(),
                                 [&](PciId wanted) { return contains(made_for, wanted); });
    if (id != target.ids.end()) {
        return {index, *id, rom.problems};
    }
    Fit fit{index, target.ids.empty() ? image.id : target.ids.front(), rom.problems};
    fit.warnings.push_back(
        fmt::format("{} is made for {}, the NIC shows {}: the firmware starts it all the same, but if its "
                    "driver does not "
                    "know the NIC, the firmware's own PXE boots instead of it.",
                    image_label(index), to_string(image.id), joined(target.ids)));
    return fit;
}

std::optional<Fit> fit_uefi(const OptionRom& rom, const Target& target) {
    if (uefi_hangs(rom)) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < rom.images.size(); ++i) {
        if (uefi_fault(rom, i, target.arch).empty()) {
            return uefi_fit(rom, i, target);
        }
    }
    return std::nullopt;
}

std::string uefi_reason(const OptionRom& rom, std::size_t index, const Target& target) {
    const std::string fault = uefi_fault(rom, index, target.arch);
    return fault.empty() ? "the firmware never starts it: an image of length 0 keeps it busy for ever"
                         : fault;
}

Misfit misfit(const OptionRom& rom, const Target& target) {
    Misfit result;
    for (std::size_t i = 0; i < rom.images.size(); ++i) {
        const std::string why =
            target.firmware == Firmware::bios ? seabios_reason(rom, i, target) : uefi_reason(rom, i, target);
        result.reasons.push_back(
            fmt::format("{} is {}: {}.", image_label(i), what_image_is(rom.images[i]), why));
    }
    return result;
}

}  // namespace

std::optional<std::string> driver_alone(const OptionRom& rom, std::size_t index) {
    const auto& efi = rom.images.at(index).efi;
    if (!efi || efi->role != IpxeRole::driver) {
        return std::nullopt;
    }
    return fmt::format("{} is {}: the firmware's own PXE boots on it, and iPXE never starts.",
                       image_label(index), to_string(efi->role));
}

std::variant<Fit, Misfit> match(const OptionRom& rom, const Target& target) {
    if (target.firmware == Firmware::bios && target.arch == Arch::aarch64) {
        return Misfit{{"There is no BIOS for aarch64: its firmware is UEFI."}};
    }
    const auto fit = target.firmware == Firmware::bios ? fit_seabios(rom, target) : fit_uefi(rom, target);
    if (fit) {
        return *fit;
    }
    return misfit(rom, target);
}

}  // namespace vml::rom
