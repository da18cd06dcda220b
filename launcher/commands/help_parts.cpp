#include "launcher/commands/help_parts.h"

#include <fmt/format.h>

#include "launcher/commands/subcommands.h"

namespace vml {

namespace {

// "plan: text, json, sh; status: text, json; …"
std::string formats_by_subcommand() {
    std::string text;
    for (const Subcommand& subcommand : subcommands()) {
        if (!subcommand.formats.empty()) {
            text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", subcommand.name, subcommand.formats);
        }
    }
    return text;
}

}  // namespace

std::vector<GeneralOption> general_options() {
    return {{"dry-run", "", "", "with run, and so without a subcommand: the same as plan; --show-config too"},
            {"config", "VM_LAUNCH_CONFIG", "FILE",
             "settings in JSON, or in TOML where the name ends with .toml; keys are the long options without "
             "dashes"},
            {"format", "", "FORMAT", formats_by_subcommand()},
            {"help", "", "", "print the help"},
            {"version", "", "", "print the version"}};
}

std::vector<GeneralOption> general_options_of(const Subcommand& subcommand) {
    std::vector<GeneralOption> options = general_options();
    std::erase_if(options, [&](const GeneralOption& option) {
        return option.flag == "format"    ? subcommand.formats.empty()
               : option.flag == "dry-run" ? subcommand.name != "run"
                                          : option.flag != "help" && !subcommand.takes_settings;
    });
    for (GeneralOption& option : options) {
        if (option.flag == "format") {
            option.help = subcommand.formats;
        }
    }
    return options;
}

std::string flag_with_value(std::string_view flag, std::string_view metavar) {
    return metavar.empty() ? fmt::format("--{}", flag) : fmt::format("--{} {}", flag, metavar);
}

std::string_view metavar_of(const UsedFlag& used) {
    return used.is_own() ? used.metavar : find_option(used.flag)->metavar;
}

std::string used_flag_text(const UsedFlag& used) {
    const std::string letter = used.letter == '\0' ? "" : fmt::format("-{}, ", used.letter);
    return letter + flag_with_value(used.flag, metavar_of(used));
}

std::string name_and_usage(const Subcommand& subcommand) {
    return fmt::format("{}{}{}", subcommand.name, subcommand.usage.empty() ? "" : " ", subcommand.usage);
}

std::string variables_of(const OptionRow& row) {
    return row.also.empty() ? std::string{row.environment} : fmt::format("{}, {}", row.environment, row.also);
}

}  // namespace vml
