#include "launcher/settings/settings_reader.h"

#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "launcher/settings/config_file.h"
#include "launcher/settings/nic_options.h"
#include "launcher/settings/option_table.h"
#include "launcher/settings/tidy.h"

namespace vml {

namespace {

// What the layers say together; of a list the strongest layer that names any has all.
void add_weaker(Layer& strong, Layer weak) {
    strong.values.merge(std::move(weak.values));
    if (strong.nics.empty()) {
        strong.nics = std::move(weak.nics);
    }
    if (strong.disks.empty()) {
        strong.disks = std::move(weak.disks);
    }
    if (!strong.config) {
        strong.config = std::move(weak.config);
    }
    std::move(weak.faults.begin(), weak.faults.end(), std::back_inserter(strong.faults));
}

Layer read_config(const Raw& file, const ReadFile& read_file) {
    try {
        return config_layer(read_file(file.text), file);
    } catch (const Error& error) {
        Layer layer;
        const Fault& fault = error.faults().front();
        layer.fault(fmt::format("{}: {}", file.origin, fault.what), fault.why, "name a readable file");
        return layer;
    }
}

template <typename Assign>
void understand(const Raw& raw, ReadResult& result, Assign assign_value) {
    try {
        assign_value();
    } catch (const ValueError& error) {
        result.faults.push_back(
            {fmt::format("{}: {}", raw.origin, error.what()), "", error.hint(), ExitCode::settings});
    }
}

void assign(const std::string& flag, const Raw& raw, ReadResult& result) {
    understand(raw, result, [&] {
        find_option(flag)->assign(result.settings, raw.text);
        result.origins.emplace(flag, raw.origin);
    });
}

void assign_nic(const RawNic& raw, ReadResult& result) {
    NicSettings nic;
    if (raw.whole) {
        understand(*raw.whole, result, [&] { nic = parse_nic(raw.whole->text); });
    }
    for (const auto& [key, value] : raw.keys) {
        understand(value, result, [&, &key = key, &value = value] { set_nic_key(nic, key, value.text); });
    }
    result.settings.nics.push_back(std::move(nic));
}

void assign_all(const Layer& layer, ReadResult& result) {
    for (const auto& [flag, raw] : layer.values) {
        assign(flag, raw, result);
    }
    for (const RawNic& nic : layer.nics) {
        assign_nic(nic, result);
    }
    for (const Raw& disk : layer.disks) {
        const std::size_t number = result.settings.disks.size();
        assign("disk", disk, result);
        result.origins.emplace(disk_origin(number), disk.origin);
    }
}

void append(std::vector<std::string>& all, std::vector<std::string> more) {
    std::move(more.begin(), more.end(), std::back_inserter(all));
}

// What speaks of a network boot alone means one, where nothing else is named to boot from.
void imply_network_boot(ReadResult& result) {
    Settings& settings = result.settings;
    if (result.origins.contains("ipxe") || settings.boot_order || settings.boot_once ||
        !settings.disks.empty() || settings.iso || settings.blank_disk) {
        return;
    }
    for (const std::string_view flag : {"netboot-dir", "bootfile", "ipxe-rom"}) {
        if (const auto found = result.origins.find(flag); found != result.origins.end()) {
            settings.ipxe = true;
            result.origins.emplace("ipxe", found->second);
            return;
        }
    }
    if (settings.pxe) {
        settings.boot_order = {BootDevice::network};
    }
}

// Only for the subcommands that use the settings.
bool wants_warnings(const CommandLine& command, const std::vector<Subcommand>& subcommands) {
    return !command.help && !command.version &&
           find_subcommand(subcommands, command.subcommand)->takes_settings;
}

}  // namespace

std::string disk_origin(std::size_t index) {
    return fmt::format("disk[{}]", index);
}

std::string origin_of(const Origins& origins, std::string_view flag) {
    const auto found = origins.find(flag);
    return found == origins.end() ? fmt::format("--{} (default)", flag) : found->second;
}

ReadResult read_settings(const std::vector<std::string>& arguments, const Environment& environment,
                         const ReadFile& read_file, const std::vector<Subcommand>& subcommands) {
    ParsedCommandLine line = parse_command_line(arguments, subcommands);
    Layer layer = std::move(line.layer);
    add_weaker(layer, environment_layer(environment));
    ReadResult result;
    if (layer.config) {
        if (std::string words = cut_surroundings(*layer.config); !words.empty()) {
            result.warnings.push_back(std::move(words));
        }
        add_weaker(layer, read_config(*layer.config, read_file));
    }
    append(result.warnings, tidy(layer));
    result.command = std::move(line.command);
    result.faults = layer.faults;
    if (wants_warnings(result.command, subcommands)) {
        append(result.warnings, strange_variables(environment));
    } else {
        result.warnings.clear();
    }
    assign_all(layer, result);
    imply_network_boot(result);
    if (line.qemu_args) {
        result.settings.extra_args = *std::move(line.qemu_args);
        result.origins["extra-args"] = "--";
    }
    return result;
}

}  // namespace vml
