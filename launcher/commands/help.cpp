#include "launcher/commands/help.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "launcher/commands/help_layout.h"
#include "launcher/commands/help_parts.h"
#include "launcher/commands/subcommands.h"
#include "launcher/remote/control_verbs.h"
#include "launcher/settings/option_table.h"
#include "launcher/settings/settings_reader.h"

namespace vml {

namespace {

std::string help_of(const OptionRow& row) {
    return help_entry(flag_with_value(row.flag, row.metavar),
                      row.environment.empty()
                          ? fmt::format("{} [{}]", row.help, row.fallback)
                          : fmt::format("{} [{}; ${}]", row.help, row.fallback, row.environment));
}

}  // namespace

std::string own_version() {
    return VML_VERSION;
}

std::string version_line() {
    return fmt::format("vm-launch {}", own_version());
}

namespace {

// Without those that mean something else to the subcommand.
std::string settings_text(const Subcommand* of = nullptr) {
    std::string text;
    for (const OptionGroup group : option_groups) {
        text += fmt::format("\n{}:\n", title_of(group));
        for (const OptionRow& row : option_table()) {
            const bool other = of != nullptr && own_flag(*of, row.flag) != nullptr;
            text += row.group == group && !other ? help_of(row) : "";
        }
    }
    return text;
}

std::string text_of(const std::vector<GeneralOption>& options) {
    std::string text = "\nGeneral:\n";
    for (const GeneralOption& option : options) {
        const std::string variable =
            option.environment.empty() ? "" : fmt::format(" [${}]", option.environment);
        text += help_entry(flag_with_value(option.flag, option.metavar), option.help + variable);
    }
    return text;
}

std::string exit_codes_text() {
    std::string text = "\nExit codes:\n";
    for (const ExitCodeRow& row : exit_code_table()) {
        text += help_entry(row.code, std::string{row.meaning});
    }
    return text;
}

// What a subcommand that starts VMs has beside the settings.
std::string own_text(const Subcommand& subcommand) {
    std::string text = subcommand.details.empty()
                           ? ""
                           : "\n" + paragraph(sentence(without_markdown(subcommand.details))) + "\n";
    text += subcommand.flags.empty() ? "" : "\nOf its own:\n";
    for (const UsedFlag& used : subcommand.flags) {
        text += help_entry(used_flag_text(used), std::string{used.help});
    }
    return text;
}

constexpr std::string_view booleans_text = "\nBooleans take --FLAG, --no-FLAG or --FLAG=on|off.\n";

}  // namespace

std::string help_text() {
    std::string text = "Network-boots a virtual machine, straight on QEMU.\n\nUsage:\n";
    for (const Subcommand& subcommand : subcommands()) {
        text += help_entry("vm-launch " + name_and_usage(subcommand), std::string{subcommand.help});
    }
    return text + "\n  vm-launch SUBCOMMAND --help says more of each.\n" + settings_text() +
           text_of(general_options()) + exit_codes_text() + std::string{booleans_text} +
           "Start here: vm-launch init DIR, then vm-launch ./DIR   (boots DIR/boot.ipxe)\n";
}

std::string help_on(const Subcommand& subcommand) {
    std::string text = fmt::format("Usage: vm-launch {}\n\n{}\n", name_and_usage(subcommand),
                                   paragraph(sentence(subcommand.help)));
    if (subcommand.takes_settings) {
        text += own_text(subcommand);
        return text + "\nFor example: vm-launch " + std::string{subcommand.example} + "\n" +
               settings_text(&subcommand) + text_of(general_options_of(subcommand)) + exit_codes_text() +
               std::string{booleans_text};
    }
    if (!subcommand.details.empty()) {
        text += "\n" + paragraph(sentence(without_markdown(subcommand.details))) + "\n";
    }
    if (subcommand.usage.starts_with("[NAME]")) {
        text += "\n" + paragraph("NAME may be left out where one VM runs; `vm-launch ls` lists them.") + "\n";
    }
    std::string options =
        subcommand.formats.empty() ? "" : help_entry("--format FORMAT", std::string{subcommand.formats});
    for (const UsedFlag& used : subcommand.flags) {
        options += help_entry(used_flag_text(used), std::string{used.help});
    }
    options += help_entry(flag_with_value(flag_of_faults, find_option(flag_of_faults)->metavar),
                          "how it writes what went wrong: " + find_option(flag_of_faults)->help);
    options += help_entry(flag_with_value(flag_of_colour, find_option(flag_of_colour)->metavar),
                          find_option(flag_of_colour)->help);
    text += "\nOptions:\n" + options + "\nFor example: vm-launch " + std::string{subcommand.example} + "\n";
    return text + "\n" + paragraph("Exit code: " + sentence(without_markdown(subcommand.exit_code))) + "\n";
}

std::string control_page() {
    std::string page = "| command | what it does | exit code |\n|---|---|---|\n";
    for (const ControlVerb& verb : control_verbs()) {
        page += fmt::format("| `{} {}` | {} | {} |\n", verb.name, verb.usage, verb.details, verb.exit_code);
    }
    return page;
}

std::string settings_page() {
    std::string page =
        "# Settings\n\nMade by `vm-launch help settings`; do not edit.\n\n"
        "Flags win over the environment, the environment over `--config FILE`, that over the defaults.\n"
        "Booleans accept 1/0, true/false, yes/no, on/off; an empty environment variable counts as unset.\n"
        "In a configuration file (JSON, or TOML where its name ends with .toml; docs/config-file.md) the "
        "keys are the flags without dashes.\n";
    for (const OptionGroup group : option_groups) {
        page += fmt::format("\n## {}\n\n| flag | environment | default | meaning |\n|---|---|---|---|\n",
                            title_of(group));
        for (const OptionRow& row : option_table()) {
            if (row.group == group) {
                page += fmt::format("| `{}` | {} | {} | {} |\n", flag_with_value(row.flag, row.metavar),
                                    row.environment.empty() ? "–" : fmt::format("`{}`", variables_of(row)),
                                    row.fallback, row.help);
            }
        }
    }
    page += "\n## Exit codes\n\n| code | meaning |\n|---|---|\n";
    for (const ExitCodeRow& row : exit_code_table()) {
        page += fmt::format("| {} | {} |\n", row.code, row.meaning);
    }
    return page;
}

}  // namespace vml
