#include "launcher/firmware_files.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <system_error>

#include <fmt/format.h>
#include <fnmatch.h>
#include <nlohmann/json.hpp>

namespace vml {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

bool contains(const json& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

// Throws nlohmann's exceptions when the descriptor is not as the specification has it.
std::optional<UefiFirmware> read_descriptor(const fs::path& file, const json& descriptor) {
    const json& mapping = descriptor.at("mapping");
    if (!contains(descriptor.at("interface-types"), "uefi") || mapping.at("device") != "flash" ||
        mapping.value("mode", "split") != "split") {
        return std::nullopt;
    }
    const json& executable = mapping.at("executable");
    const json& nvram = mapping.at("nvram-template");
    UefiFirmware firmware;
    firmware.descriptor = file;
    firmware.description = descriptor.value("description", "");
    firmware.code = executable.at("filename").get<std::string>();
    firmware.code_format = executable.value("format", "raw");
    firmware.vars_template = nvram.at("filename").get<std::string>();
    firmware.vars_format = nvram.value("format", "raw");
    for (const json& target : descriptor.at("targets")) {
        firmware.targets.emplace_back(target.at("architecture").get<std::string>(),
                                      target.at("machines").get<std::vector<std::string>>());
    }
    firmware.features = descriptor.at("features").get<std::vector<std::string>>();
    return firmware;
}

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

std::string content_of(const fs::path& file) {
    std::ifstream stream{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

}  // namespace

bool UefiFirmware::has(std::string_view feature) const {
    return std::find(features.begin(), features.end(), feature) != features.end();
}

std::optional<UefiFirmware> parse_firmware_descriptor(const fs::path& file, const std::string& text) {
    try {
        return read_descriptor(file, json::parse(text));
    } catch (const json::exception&) {
        return std::nullopt;
    }
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

std::vector<fs::path> firmware_folders(std::string_view config_home) {
    std::vector<fs::path> folders{"/etc/qemu/firmware", "/usr/share/qemu/firmware"};
    if (!config_home.empty()) {
        folders.insert(folders.begin(), fs::path{config_home} / "qemu/firmware");
    }
    return folders;
}

std::vector<UefiFirmware> read_firmware_descriptors(const std::vector<fs::path>& folders) {
    std::map<std::string, fs::path> by_name;
    for (const fs::path& folder : folders) {
        std::error_code ignored;  // a folder that is not there holds nothing
        for (const auto& entry : fs::directory_iterator{folder, ignored}) {
            if (entry.path().extension() == ".json" && !entry.is_directory(ignored)) {
                by_name.try_emplace(entry.path().filename(), entry.path());
            }
        }
    }
    std::vector<UefiFirmware> all;
    for (const auto& [name, file] : by_name) {
        if (auto firmware = parse_firmware_descriptor(file, content_of(file))) {
            all.push_back(std::move(*firmware));
        }
    }
    return all;
}

std::vector<UefiFirmware> installed(std::vector<UefiFirmware> all) {
    std::erase_if(all, [](const UefiFirmware& firmware) {
        std::error_code ignored;
        return !fs::exists(firmware.code, ignored) || !fs::exists(firmware.vars_template, ignored);
    });
    return all;
}

}  // namespace vml
