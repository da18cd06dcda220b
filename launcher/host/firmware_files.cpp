#include "launcher/host/firmware_files.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <system_error>

#include <nlohmann/json.hpp>

#include "base/file.h"

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

}  // namespace

std::optional<UefiFirmware> parse_firmware_descriptor(const fs::path& file, const std::string& text) {
    try {
        return read_descriptor(file, json::parse(text));
    } catch (const json::exception&) {
        return std::nullopt;
    }
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
        if (auto firmware = parse_firmware_descriptor(file, read_file(file).value_or(""))) {
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
