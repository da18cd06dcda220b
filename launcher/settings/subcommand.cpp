// What is asked of a subcommand's row.
#include <algorithm>

#include <fmt/format.h>

#include "launcher/settings/command_line.h"
#include "launcher/settings/option_table.h"
#include "launcher/settings/values.h"

namespace vml {

const Subcommand* find_subcommand(const std::vector<Subcommand>& subcommands, std::string_view name) {
    const auto found = std::find_if(subcommands.begin(), subcommands.end(),
                                    [&](const Subcommand& command) { return command.name == name; });
    return found == subcommands.end() ? nullptr : &*found;
}

bool uses(const Subcommand& subcommand, std::string_view setting) {
    const auto& flags = subcommand.flags;
    return subcommand.takes_settings || setting == flag_of_faults || setting == flag_of_colour ||
           std::any_of(flags.begin(), flags.end(),
                       [&](const UsedFlag& used) { return !used.is_own() && used.flag == setting; });
}

bool uses_variable_of(const Subcommand& subcommand, std::string_view setting) {
    const auto& flags = subcommand.flags;
    return uses(subcommand, setting) && std::none_of(flags.begin(), flags.end(), [&](const UsedFlag& used) {
               return used.flag == setting && used.by_flag_alone;
           });
}

std::string see_help(const Subcommand& subcommand) {
    return fmt::format("see vm-launch {} --help", subcommand.name);
}

std::string hint_on_flags(const Subcommand& subcommand) {
    if (subcommand.takes_settings) {
        return "see vm-launch --help; options of QEMU go after --";
    }
    return subcommand.name == "ssh"    ? "ssh's own options go after --"
           : subcommand.name == "exec" ? "the command goes after --: vm-launch exec [NAME] -- COMMAND"
                                       : see_help(subcommand);
}

const UsedFlag* own_flag(const Subcommand& subcommand, std::string_view flag) {
    const auto& flags = subcommand.flags;
    const auto found = std::find_if(flags.begin(), flags.end(),
                                    [&](const UsedFlag& used) { return used.is_own() && used.flag == flag; });
    return found == flags.end() ? nullptr : &*found;
}

const UsedFlag* own_flag_of_any(const std::vector<Subcommand>& subcommands, std::string_view flag) {
    for (const Subcommand& subcommand : subcommands) {
        if (const UsedFlag* own = own_flag(subcommand, flag)) {
            return own;
        }
    }
    return nullptr;
}

std::set<std::string> own_flags_alone(const std::vector<Subcommand>& subcommands) {
    std::set<std::string> names;
    for (const Subcommand& subcommand : subcommands) {
        for (const UsedFlag& used : subcommand.flags) {
            if (used.is_own() && find_option(used.flag) == nullptr) {
                names.emplace(used.flag);
            }
        }
    }
    return names;
}

void take_own_flag(const UsedFlag& flag, std::string_view value, ParsedCommandLine& line) {
    try {
        flag.assign(line.command, value);
    } catch (const ValueError& error) {
        line.layer.fault(fmt::format("--{}: {}", flag.flag, error.what()), "", error.hint());
    }
}

}  // namespace vml
