#include "launcher/settings/settings_reader.h"

#include <initializer_list>
#include <iterator>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "launcher/settings/config_file.h"
#include "launcher/settings/given_command.h"
#include "launcher/settings/nic_options.h"
#include "launcher/settings/notation.h"
#include "launcher/settings/option_table.h"
#include "launcher/settings/tidy.h"

namespace vml {

namespace {

template <typename Item>
void append(std::vector<Item>& all, std::vector<Item> more) {
    std::move(more.begin(), more.end(), std::back_inserter(all));
}

// A variable or a file that is meant for a VM's start is no affair of a subcommand that uses little of it.
Layer as_used_by(const Subcommand& subcommand, Layer weak) {
    if (subcommand.takes_settings) {
        return weak;
    }
    Layer used;
    used.config = std::move(weak.config);
    for (auto& [flag, raw] : weak.values) {
        if (uses_variable_of(subcommand, flag)) {
            used.values.emplace(flag, std::move(raw));
        }
    }
    if (uses_variable_of(subcommand, "health-stage")) {  // else what it was to ask for might be passed over
        used.faults = std::move(weak.faults);
    }
    return used;
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

// Beside what is wrong with the value: a line of an env file that was meant to end before.
std::string hint_of(const Raw& raw, const ValueError& error) {
    if (raw.origin.starts_with('$') && raw.text.find(comment_in_value) != std::string::npos) {
        return std::string{no_comment_hint};
    }
    return error.hint();
}

template <typename Assign>
void understand(const Raw& raw, ReadResult& result, Assign assign_value) {
    try {
        assign_value();
    } catch (const ValueError& error) {
        result.faults.push_back(
            {fmt::format("{}: {}", raw.origin, error.what()), "", hint_of(raw, error), ExitCode::settings});
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
    const std::size_t index = result.settings.nics.size();
    if (raw.whole) {
        understand(*raw.whole, result, [&] { nic = parse_nic(raw.whole->text); });
        result.origins.emplace(nic_origin(index, ""), raw.whole->origin);
    }
    for (const auto& [key, value] : raw.keys) {
        understand(value, result, [&, &key = key, &value = value] { set_nic_key(nic, key, value.text); });
        result.origins.emplace(nic_origin(index, flag_of_nic_key(key)), value.origin);
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
    for (const std::vector<Raw>* list : {&layer.disks, &layer.devices}) {
        for (const Raw& disk : *list) {
            const std::size_t number = result.settings.disks.size();
            assign("disk", disk, result);
            result.origins.emplace(disk_origin(number), disk.origin);
        }
    }
    for (const Raw& option : layer.dhcp_options) {
        assign("dhcp-option", option, result);
    }
    for (const Raw& disk : layer.extra_disks) {
        const std::size_t number = result.settings.extra_disks.size();
        assign("extra-disk", disk, result);
        result.origins.emplace(extra_disk_origin(number), disk.origin);
    }
}

// Does one of these settings, which say that iPXE is to boot, switch it on?
bool implies_ipxe(ReadResult& result, std::initializer_list<std::string_view> flags) {
    for (const std::string_view flag : flags) {
        if (const auto found = result.origins.find(flag); found != result.origins.end()) {
            result.settings.ipxe = true;
            result.origins.emplace("ipxe", found->second);
            return true;
        }
    }
    return false;
}

// The firmware's own client is to boot: it is named, or iPXE is switched off.
bool wants_firmware(const ReadResult& result) {
    return !result.settings.ipxe && (result.settings.pxe || result.origins.contains("ipxe"));
}

bool speaks_of_network(const ReadResult& result) {
    return result.settings.pxe || result.settings.netboot_dir || result.settings.bootfile ||
           result.settings.script || result.settings.kernel;
}

// What nothing but iPXE boots means iPXE, unless the firmware's own client is to load that; what speaks of a
// network boot alone means one, where nothing else is named to boot from.
void imply_network_boot(ReadResult& result) {
    Settings& settings = result.settings;
    const bool other =
        !settings.disks.empty() || settings.iso || settings.blank_disk || !settings.extra_disks.empty();
    const bool firmware = wants_firmware(result);
    if ((!firmware && (result.origins.contains("ipxe") || implies_ipxe(result, {"script", "kernel"}))) ||
        settings.boot_order || settings.boot_once) {
        return;
    }
    if (firmware && other && (settings.script || settings.kernel)) {
        settings.boot_order = {BootDevice::network, BootDevice::hd};
        if (settings.iso) {
            settings.boot_order->push_back(BootDevice::cdrom);
        }
    } else if (!other && firmware && speaks_of_network(result)) {
        settings.boot_order = {BootDevice::network};
    } else if (!other && !firmware) {
        implies_ipxe(result, {"netboot-dir", "bootfile", "ipxe-rom"});
    }
}

// On the command line two that contradict each other are no choice between an older and a newer name.
void refuse_two_views(ReadResult& result) {
    const auto is_flag = [&](const std::string& flag) {
        const auto found = result.origins.find(flag);
        return found != result.origins.end() && found->second.starts_with("--");
    };
    const Settings& settings = result.settings;
    std::map<ConsoleView, std::string> flags;
    if (is_flag("console")) {
        flags.emplace(settings.console, "--console");
    }
    if (settings.no_console && is_flag("no-console")) {
        flags.emplace(ConsoleView::quiet, "--no-console");
    }
    if (settings.console_raw && is_flag("console-raw")) {
        flags.emplace(ConsoleView::raw, "--console-raw");
    }
    if (flags.size() > 1) {
        result.faults.push_back(
            {fmt::format("{} and {} contradict each other", flags.begin()->second, flags.rbegin()->second),
             "", "say once how much of the console is shown", ExitCode::settings});
    }
}

// Only for the subcommands that use the settings.
bool wants_warnings(const CommandLine& command, const Subcommand& subcommand) {
    return !command.help && !command.version && subcommand.takes_settings;
}

}  // namespace

std::string disk_origin(std::size_t index) {
    return fmt::format("disk[{}]", index);
}

std::string extra_disk_origin(std::size_t index) {
    return fmt::format("extra-disk[{}]", index);
}

std::string nic_origin(std::size_t index, std::string_view flag) {
    return fmt::format("nic[{}].{}", index, flag);
}

std::string origin_of(const Origins& origins, std::string_view flag) {
    const auto found = origins.find(flag);
    return found == origins.end() ? fmt::format("--{} (default)", flag) : found->second;
}

ConsoleView console_view(const Settings& settings, const Origins& origins) {
    const auto strength = [&](std::string_view flag) {
        const auto origin = origins.find(flag);
        return origin == origins.end()            ? 0
               : origin->second.starts_with("--") ? 3
               : origin->second.starts_with('$')  ? 2
                                                  : 1;
    };
    const int quiet = settings.no_console ? strength("no-console") : 0;
    const int raw = settings.console_raw ? strength("console-raw") : 0;
    if (strength("console") >= std::max(quiet, raw)) {
        return settings.console;
    }
    return quiet >= raw ? ConsoleView::quiet : ConsoleView::raw;
}

Log::Wording wording_for(const ReadResult& read) {
    return read.in_variables ? Log::Wording{with_variables} : Log::Wording{};
}

ReadResult read_settings(const std::vector<std::string>& arguments, const Environment& environment,
                         const ReadFile& read_file, const std::vector<Subcommand>& subcommands) {
    ParsedCommandLine line = parse_command_line(arguments, subcommands);
    const Subcommand& subcommand = *find_subcommand(subcommands, line.command.subcommand);
    Layer layer = std::move(line.layer);
    add_weaker(layer, as_used_by(subcommand, environment_layer(environment)));
    ReadResult result;
    if (layer.config) {
        if (std::string words = cut_surroundings(*layer.config); !words.empty()) {
            result.warnings.push_back(std::move(words));
        }
        add_weaker(layer, as_used_by(subcommand, read_config(*layer.config, read_file)));
    }
    result.config = layer.config;
    result.given = given_command(arguments, environment, layer);
    append(result.warnings, tidy(layer));
    result.command = std::move(line.command);
    result.arguments = arguments;
    result.faults = layer.faults;
    std::vector<std::string> strange;
    if (wants_warnings(result.command, subcommand)) {
        strange = strange_variables(environment);
        append(result.warnings, strange);
    } else {
        result.warnings.clear();
    }
    result.in_variables = subcommand.takes_settings && speaks_in_variables(layer, !strange.empty()) && !line.qemu_args;
    assign_all(layer, result);
    refuse_two_views(result);
    imply_network_boot(result);
    if (line.qemu_args) {
        result.settings.extra_args = *std::move(line.qemu_args);
        result.origins["extra-args"] = "--";
    }
    return result;
}

}  // namespace vml
