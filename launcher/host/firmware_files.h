// Reads QEMU's firmware descriptors (QEMU docs/interop/firmware.json).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/vm/uefi_choice.h"

namespace vml {

// The descriptor's content when it is of UEFI in split flash; nothing for anything else, damaged JSON
// included. Pure.
[[nodiscard]] std::optional<UefiFirmware> parse_firmware_descriptor(const std::filesystem::path& file,
                                                                    const std::string& text);

// Folders of descriptors, the strongest first; a file hides one of the same name in a later folder, and an
// empty file hides without replacing (firmware.json, "Firmware files discovery").
[[nodiscard]] std::vector<std::filesystem::path> firmware_folders(std::string_view config_home);

// Every UEFI descriptor of the folders, in order of file name. Reads files; unreadable ones are left out.
[[nodiscard]] std::vector<UefiFirmware> read_firmware_descriptors(
    const std::vector<std::filesystem::path>& folders);

// Without those whose files are not there: Debian 12 ships a descriptor of firmware that it does not ship.
[[nodiscard]] std::vector<UefiFirmware> installed(std::vector<UefiFirmware> all);

}  // namespace vml
