#include "launcher/settings/own_flags.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "launcher/settings/run_options.h"
#include "launcher/settings/values.h"

namespace vml {

namespace {

constexpr std::array table{
    OwnFlag{"status", "follow", "", "go on with what happens, as it happens, until the VM has ended",
            [](CommandLine& command, std::string_view value) { command.follow = parse_value<bool>(value); }},
    OwnFlag{"wait", "stage", "STAGE", "what is waited for [os]; words as for --until",
            [](CommandLine& command, std::string_view value) { command.stage = parse_health_stage(value); }},
    OwnFlag{"wait", "timeout", "SECONDS", "exit 15 after so long [none; 30 s for a VM that is not there]",
            [](CommandLine& command, std::string_view value) { command.timeout = parse_seconds(value); }},
};

const OwnFlag* of_any(std::string_view name) {
    const auto* const found =
        std::find_if(table.begin(), table.end(), [&](const OwnFlag& flag) { return flag.name == name; });
    return found == table.end() ? nullptr : found;
}

}  // namespace

std::span<const OwnFlag> own_flags() {
    return table;
}

const OwnFlag* find_own_flag(std::string_view subcommand, std::string_view name) {
    const auto* const found = std::find_if(table.begin(), table.end(), [&](const OwnFlag& flag) {
        return flag.subcommand == subcommand && flag.name == name;
    });
    return found == table.end() ? nullptr : found;
}

bool is_own_flag(std::string_view name) {
    return of_any(name) != nullptr;
}

bool is_own_switch(std::string_view name) {
    const OwnFlag* const flag = of_any(name);
    return flag != nullptr && flag->metavar.empty();
}

void take_own_flag(const OwnFlag& flag, std::string_view value, ParsedCommandLine& line) {
    try {
        flag.assign(line.command, value);
    } catch (const ValueError& error) {
        line.layer.fault(fmt::format("--{}: {}", flag.name, error.what()), "", error.hint());
    }
}

}  // namespace vml
