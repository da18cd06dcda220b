// The one place of rom/ that touches the system: reads a ROM from disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "rom/option_rom.h"

namespace vml::rom {

// QEMU itself takes a romfile of up to 2 GiB and makes the ROM BAR of its size rounded up to a power of two
// (hw/pci/pci.c, pci_add_option_rom). That much would not fit below 4 GiB beside the other BARs, and SeaBIOS
// maps no ROM that large. 16 MiB is our own ceiling: 64 times the largest ROM of Debian's ipxe-qemu, 16 BARs
// of 16 MiB still fit the 32-bit window, and a wrong file (a disk image) is refused before it is read.
inline constexpr std::size_t largest_file = std::size_t{16} * 1024 * 1024;

// What a file held when it was read, to be run as it was judged.
using SharedBytes = std::shared_ptr<const std::vector<std::uint8_t>>;

struct RomFile {
    OptionRom rom;
    SharedBytes bytes;
};

// Reads a regular file and what is inside. Throws vml::Error (ExitCode::host) when it cannot be opened, is a
// directory, a FIFO or a device (which never blocks), is larger than `largest_file`, or is no option ROM.
[[nodiscard]] RomFile read_rom_file(const std::filesystem::path& path);
[[nodiscard]] OptionRom load_option_rom(const std::filesystem::path& path);

}  // namespace vml::rom
