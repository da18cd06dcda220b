#include "launcher/commands/help.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "launcher/commands/help_layout.h"
#include "launcher/commands/subcommands.h"
#include "launcher/remote/control_verbs.h"
#include "launcher/settings/option_table.h"
#include "launcher/settings/own_flags.h"
#include "launcher/settings/settings_reader.h"

namespace vml {

namespace {

constexpr std::array<OptionGroup, 5> groups{OptionGroup::boot, OptionGroup::network, OptionGroup::machine,
                                            OptionGroup::disks, OptionGroup::running};

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

struct GeneralOption {
    std::string_view flag;
    std::string_view environment;
    std::string_view metavar;
    std::string help;
};

std::vector<GeneralOption> general_options() {
    return {
        {"dry-run", "", "", "with run, and so without a subcommand: the same as plan; --show-config too"},
        {"config", "VM_LAUNCH_CONFIG", "FILE", "settings in JSON; keys are the long options without dashes"},
        {"format", "", "FORMAT", formats_by_subcommand()},
        {"help", "", "", "print the help"},
        {"version", "", "", "print the version"}};
}

std::string flag_with_value(std::string_view flag, std::string_view metavar) {
    return metavar.empty() ? fmt::format("--{}", flag) : fmt::format("--{} {}", flag, metavar);
}

std::string help_of(const OptionRow& row) {
    return help_entry(flag_with_value(row.flag, row.metavar),
                      row.environment.empty()
                          ? fmt::format("{} [{}]", row.help, row.fallback)
                          : fmt::format("{} [{}; ${}]", row.help, row.fallback, row.environment));
}

// roff: a leading dot or quote is a request, a backslash an escape, and "-" a hyphen unless escaped.
std::string roff(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '\\') {
            result += "\\e";
        } else if (c == '-') {
            result += "\\-";
        } else {
            result += c;
        }
    }
    std::size_t at = 0;
    while ((at = result.find("…", at)) != std::string::npos) {
        result.replace(at, std::string_view{"…"}.size(), "...");
    }
    return result;
}

std::string variables_of(const OptionRow& row) {
    return row.also.empty() ? std::string{row.environment} : fmt::format("{}, {}", row.environment, row.also);
}

std::string man_entry(const OptionRow& row) {
    return fmt::format(
        ".TP\n.B {}\n{}.\nDefault: {}.\n{}", roff(flag_with_value(row.flag, row.metavar)), roff(row.help),
        roff(row.fallback),
        row.environment.empty() ? "" : fmt::format("Environment:\n.BR {} .\n", roff(variables_of(row))));
}

std::string man_options() {
    std::string page =
        ".SH OPTIONS\nFlags win over the environment, the environment over\n.BR \\-\\-config ,\n"
        "that over the defaults.\nEvery boolean\n.BI \\-\\- FLAG\nhas a\n.BI \\-\\-no\\- FLAG ,\nbut "
        "for\n.BR \\-\\-no\\-console .\n"
        "An empty environment variable counts as unset.\n";
    for (const OptionGroup group : groups) {
        page += fmt::format(".SS {}\n", roff(title_of(group)));
        for (const OptionRow& row : option_table()) {
            page += row.group == group ? man_entry(row) : "";
        }
    }
    page += ".SS General\n";
    for (const GeneralOption& option : general_options()) {
        page += fmt::format(".TP\n.B {}\n{}.\n", roff(flag_with_value(option.flag, option.metavar)),
                            roff(option.help));
    }
    return page;
}

constexpr std::string_view man_console = R"(.SH CONSOLE
When standard input is a terminal, it is attached to the guest's serial console:
every key goes to the guest, Ctrl\-C included.
.B Ctrl\-]
detaches; after that Ctrl\-C stops the VM and Enter attaches again.
Otherwise the console's output goes to standard output.
vm\-launch's own lines go to standard error.
.SH SIGNALS
.B SIGTERM, SIGINT
and
.B SIGHUP
stop the VM: at once where firmware or iPXE is known to have the machine (they ignore the power
button), else by the power button (ACPI), and by force once
.B \-\-stop\-timeout
is over.
A second signal forces at once.
.B SIGQUIT
ends the VM at once, without the power button.
.B SIGUSR1
says in the log how far the boot is.
QEMU never outlives vm\-launch.
)";

constexpr std::string_view man_examples = R"(.SH EXAMPLES
Boot a script, or the
.I boot.ipxe
of a folder, without any server:
.PP
.nf
vm\-launch menu.ipxe
vm\-launch ./netboot
.fi
.PP
Boot a kernel over the network, under UEFI:
.PP
.nf
vm\-launch \-\-firmware uefi \-\-kernel vmlinuz \-\-initrd initrd.img \-\-append 'console=ttyS0 quiet'
.fi
.PP
See what would run, and why:
.PP
.nf
vm\-launch plan ./netboot
.fi
.PP
Look into an option ROM:
.PP
.nf
vm\-launch rom /usr/lib/ipxe/qemu/efi\-virtio.rom
.fi
.SH SEE ALSO
.BR qemu\-system\-x86_64 (1)
)";

std::string man_subcommands() {
    std::string page = ".SH SUBCOMMANDS\n";
    for (const Subcommand& subcommand : subcommands()) {
        page += fmt::format(".TP\n.B {} {}\n{}.\n", roff(subcommand.name), roff(subcommand.usage),
                            roff(subcommand.help));
    }
    return page;
}

std::string man_exit_status() {
    std::string page = ".SH EXIT STATUS\n";
    for (const ExitCodeRow& row : exit_code_table()) {
        page += fmt::format(".TP\n.B {}\n{}.\n", roff(row.code), roff(row.meaning));
    }
    return page;
}

}  // namespace

std::string version_line() {
    return fmt::format("vm-launch {}", VML_VERSION);
}

namespace {

std::string settings_text() {
    std::string text;
    for (const OptionGroup group : groups) {
        text += fmt::format("\n{}:\n", title_of(group));
        for (const OptionRow& row : option_table()) {
            text += row.group == group ? help_of(row) : "";
        }
    }
    return text;
}

std::string general_text() {
    std::string text = "\nGeneral:\n";
    for (const GeneralOption& option : general_options()) {
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

constexpr std::string_view booleans_text = "\nBooleans take --FLAG, --no-FLAG or --FLAG=on|off.\n";

}  // namespace

std::string help_text() {
    std::string text = "Network-boots a virtual machine, straight on QEMU.\n\nUsage:\n";
    for (const Subcommand& subcommand : subcommands()) {
        text += help_entry(fmt::format("vm-launch {} {}", subcommand.name, subcommand.usage),
                           std::string{subcommand.help});
    }
    return text + "\n  vm-launch SUBCOMMAND --help says more of each.\n" + settings_text() + general_text() +
           exit_codes_text() + std::string{booleans_text} +
           "Start here: vm-launch init DIR, then vm-launch ./DIR   (boots DIR/boot.ipxe)\n";
}

std::string help_on(const Subcommand& subcommand) {
    std::string text = fmt::format("Usage: vm-launch {} {}\n\n{}\n", subcommand.name, subcommand.usage,
                                   paragraph(sentence(subcommand.help)));
    if (subcommand.takes_settings) {
        return text + settings_text() + general_text() + exit_codes_text() + std::string{booleans_text};
    }
    if (!subcommand.details.empty()) {
        text += "\n" + paragraph(sentence(without_markdown(subcommand.details))) + "\n";
    }
    if (subcommand.usage.starts_with("[NAME]")) {
        text +=
            "\n" + paragraph("NAME may be left out where one VM runs; `vm-launch status` lists them.") + "\n";
    }
    std::string options =
        subcommand.formats.empty() ? "" : help_entry("--format FORMAT", std::string{subcommand.formats});
    for (const UsedFlag& used : subcommand.flags.value_or(std::vector<UsedFlag>{})) {
        options += help_entry(flag_with_value(used.setting, find_option(used.setting)->metavar),
                              std::string{used.help});
    }
    for (const OwnFlag& flag : own_flags()) {
        options += flag.subcommand == subcommand.name
                       ? help_entry(flag_with_value(flag.name, flag.metavar), std::string{flag.help})
                       : "";
    }
    text += options.empty() ? "" : "\nOptions:\n" + options;
    return text + "\n" + paragraph("Exit code: " + sentence(without_markdown(subcommand.exit_code))) + "\n";
}

std::string man_page() {
    return fmt::format(
               ".TH VM\\-LAUNCH 1 {} \"vm\\-launch {}\"\n.SH NAME\n"
               "vm\\-launch \\- network\\-boot a virtual machine, straight on QEMU\n.SH SYNOPSIS\n"
               ".B vm\\-launch\n[\n.I subcommand\n]\n[\n.I options\n]\n[\n.B \\-\\-\n.I qemu\\-args\n]\n"
               ".SH DESCRIPTION\n.B vm\\-launch\n"
               "builds QEMU's command line with an iPXE option ROM that is known to run, starts and "
               "supervises QEMU,\n"
               "and tells how far the boot got and why it stopped.\n",
               VML_RELEASE_DATE, VML_VERSION) +
           man_subcommands() + man_options() + std::string{man_console} + man_exit_status() +
           std::string{man_examples};
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
        "In a configuration file (JSON) the keys are the flags without dashes.\n";
    for (const OptionGroup group : groups) {
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
