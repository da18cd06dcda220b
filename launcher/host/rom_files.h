// The option ROMs and EFI programs that could boot by iPXE. Reads files.
#pragma once

#include <filesystem>
#include <vector>

#include "launcher/settings/settings.h"
#include "launcher/vm/facts.h"
#include "rom/catalogue.h"

namespace vml {

// For each NIC, in order of preference. A ROM of the user's own is the first bootable NIC's alone; another
// NIC takes it where it fits.
[[nodiscard]] std::vector<std::vector<RomCandidate>> load_candidates(
    const Settings& settings, FirmwareMode firmware, Arch arch,
    const std::vector<std::filesystem::path>& folders = rom::rom_folders());
// The program that the user names in place of a ROM, else the distribution's.
[[nodiscard]] std::vector<EfiProgram> efi_programs(const Settings& settings, Arch arch);

}  // namespace vml
