#include "launcher/vm/uefi_choice.h"

#include <algorithm>

#include <fnmatch.h>

namespace vml {

namespace {

std::string_view qemu_name(rom::Arch arch) {
    return arch == rom::Arch::x86_64 ? "x86_64" : "aarch64";
}

// Descriptors speak of versioned machines; the short names are their newest version.
std::string versioned(std::string_view machine) {
    if (machine == "q35") {
        return "pc-q35-0";
    }
    if (machine == "pc") {
        return "pc-i440fx-0";
    }
    return machine == "virt" ? "virt-0" : std::string{machine};
}

bool fits(const UefiFirmware& firmware, rom::Arch arch, const std::string& machine) {
    return std::any_of(firmware.targets.begin(), firmware.targets.end(), [&](const auto& target) {
        return target.first == qemu_name(arch) &&
               std::any_of(target.second.begin(), target.second.end(), [&](const std::string& glob) {
                   return fnmatch(glob.c_str(), machine.c_str(), 0) == 0;
               });
    });
}

}  // namespace

bool UefiFirmware::has(std::string_view feature) const {
    return std::find(features.begin(), features.end(), feature) != features.end();
}

std::optional<UefiFirmware> choose_uefi(const std::vector<UefiFirmware>& all, rom::Arch arch,
                                        std::string_view machine) {
    const std::string name = versioned(machine);
    const auto usable = [&](const UefiFirmware& firmware) {
        return fits(firmware, arch, name) && !firmware.has("requires-smm") && !firmware.has("enrolled-keys");
    };
    // One without Secure Boot is what `uefi` means; one that only could have it will do.
    auto found = std::find_if(all.begin(), all.end(), [&](const UefiFirmware& firmware) {
        return usable(firmware) && !firmware.has("secure-boot");
    });
    if (found == all.end()) {
        found = std::find_if(all.begin(), all.end(), usable);
    }
    return found == all.end() ? std::nullopt : std::optional{*found};
}

std::optional<UefiFirmware> choose_secure_uefi(const std::vector<UefiFirmware>& all, rom::Arch arch,
                                               std::string_view machine) {
    const std::string name = versioned(machine);
    const auto found = std::find_if(all.begin(), all.end(), [&](const UefiFirmware& firmware) {
        return fits(firmware, arch, name) && firmware.has("secure-boot") && firmware.has("enrolled-keys");
    });
    return found == all.end() ? std::nullopt : std::optional{*found};
}

}  // namespace vml
