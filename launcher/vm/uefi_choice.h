// UEFI firmware as QEMU's firmware descriptors tell it (QEMU docs/interop/firmware.json), and which of them a
// machine gets. Pure.
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

// The first firmware for this architecture and machine that needs neither SMM nor enrolled keys. `machine` is
// as QEMU takes it: "q35", "pc", "virt" or a versioned name.
[[nodiscard]] std::optional<UefiFirmware> choose_uefi(const std::vector<UefiFirmware>& all, rom::Arch arch,
                                                      std::string_view machine);

// The first one that has Secure Boot switched on by enrolled keys.
[[nodiscard]] std::optional<UefiFirmware> choose_secure_uefi(const std::vector<UefiFirmware>& all,
                                                             rom::Arch arch, std::string_view machine);

[[nodiscard]] inline std::optional<UefiFirmware> choose_firmware(const std::vector<UefiFirmware>& all,
                                                                 bool secure, rom::Arch arch,
                                                                 std::string_view machine) {
    return secure ? choose_secure_uefi(all, arch, machine) : choose_uefi(all, arch, machine);
}

}  // namespace vml
