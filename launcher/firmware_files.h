// UEFI firmware as QEMU's firmware descriptors tell it (QEMU docs/interop/firmware.json).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rom/catalogue.h"

namespace vml {

// One way to put UEFI firmware into two flash devices: executable and variable store.
struct UefiFirmware {
    std::filesystem::path descriptor;  // where this was read
    std::string description;
    std::filesystem::path code;  // read-only, shared by all VMs
    std::string code_format;
    std::filesystem::path vars_template;  // each VM gets a copy of its own
    std::string vars_format;
    std::vector<std::pair<std::string, std::vector<std::string>>> targets;  // architecture, machine globs
    std::vector<std::string> features;

    [[nodiscard]] bool has(std::string_view feature) const;
    bool operator==(const UefiFirmware&) const = default;
};

// The descriptor's content when it is of UEFI in split flash; nothing for anything else, damaged JSON
// included. Pure.
[[nodiscard]] std::optional<UefiFirmware> parse_firmware_descriptor(const std::filesystem::path& file,
                                                                    const std::string& text);

// The first firmware for this architecture and machine that needs neither SMM nor enrolled keys. `machine` is
// as QEMU takes it: "q35", "pc", "virt" or a versioned name. Pure.
[[nodiscard]] std::optional<UefiFirmware> choose_uefi(const std::vector<UefiFirmware>& all, rom::Arch arch,
                                                      std::string_view machine);

// The first one that has Secure Boot switched on by enrolled keys. Pure.
[[nodiscard]] std::optional<UefiFirmware> choose_secure_uefi(const std::vector<UefiFirmware>& all,
                                                             rom::Arch arch, std::string_view machine);

// Folders of descriptors, the strongest first; a file hides one of the same name in a later folder, and an
// empty file hides without replacing (firmware.json, "Firmware files discovery").
[[nodiscard]] std::vector<std::filesystem::path> firmware_folders(std::string_view config_home);

// Every UEFI descriptor of the folders, in order of file name. Reads files; unreadable ones are left out.
[[nodiscard]] std::vector<UefiFirmware> read_firmware_descriptors(
    const std::vector<std::filesystem::path>& folders);

// Without those whose files are not there: Debian 12 ships a descriptor of firmware that it does not ship.
[[nodiscard]] std::vector<UefiFirmware> installed(std::vector<UefiFirmware> all);

}  // namespace vml
