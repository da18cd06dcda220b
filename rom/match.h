// Will this ROM run on that NIC under that firmware? Decided from the ROM's bytes, before anything is
// started.
//
// The rules are the firmware's own, not the specification's: SeaBIOS 1.16 (src/optionroms.c) and edk2 2022.11
// (MdeModulePkg/Bus/Pci/PciBusDxe/PciOptionRomSupport.c).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rom/catalogue.h"
#include "rom/option_rom.h"

namespace vml::rom {

// What SeaBIOS has for option ROMs from C0000 up, in bytes. Measured with SeaBIOS 1.16.2 and ROMs of growing
// size: 160 KiB on q35, 162 KiB on pc.
inline constexpr std::size_t seabios_rom_space = std::size_t{160} * 1024;
// What a VGA ROM of SeaBIOS (39,936 bytes) takes of it, rounded up to the 2 KiB on which ROMs begin.
inline constexpr std::size_t vga_rom_space = std::size_t{40} * 1024;

struct Target {
    Firmware firmware = Firmware::bios;
    Arch arch = Arch::x86_64;
    std::vector<PciId> ids;    // what the NIC can be made to show, in order of preference
    bool vga_present = false;  // a VGA ROM takes its share of the BIOS's room

    bool operator==(const Target&) const = default;
};

struct Fit {
    std::size_t image_index = 0;        // the image that the firmware will start
    PciId id;                           // what the NIC must show; under UEFI any of the target's would do
    std::vector<std::string> warnings;  // what is wrong with the ROM and does not keep it from running

    bool operator==(const Fit&) const = default;
};

struct Misfit {
    std::vector<std::string> reasons;  // one sentence an image: what is in the ROM and what was needed

    bool operator==(const Misfit&) const = default;
};

// The ROM as an explicit romfile=; QEMU writes the device's ID into its default ROM only, never into one
// given to it.
[[nodiscard]] std::variant<Fit, Misfit> match(const OptionRom& rom, const Target& target);

// Why an image that UEFI firmware runs does not boot iPXE all the same, as a sentence; nothing where it does,
// or where that cannot be told (an image of others, or for a BIOS).
[[nodiscard]] std::optional<std::string> driver_alone(const OptionRom& rom, std::size_t index);

}  // namespace vml::rom
