#include "launcher/commands/man_page.h"

#include <array>
#include <string_view>

#include <fmt/format.h>

#include "bootwatch/stage.h"
#include "launcher/commands/help_parts.h"
#include "launcher/commands/subcommands.h"

namespace vml {

namespace {

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

// As one argument of a macro.
std::string quoted_roff(std::string_view text) {
    return fmt::format("\"{}\"", roff(text));
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
    for (const OptionGroup group : option_groups) {
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
)";

constexpr std::string_view man_see_also = R"(.SH SEE ALSO
.BR qemu\-system\-x86_64 (1),
.BR ssh (1)
)";

// What it takes although it starts no VM.
std::string man_flags(const Subcommand& subcommand) {
    std::string text;
    for (const UsedFlag& used : subcommand.flags) {
        text += fmt::format(".br\n.BR {} :\n{}.\n", quoted_roff(used_flag_text(used)), roff(used.help));
    }
    return text;
}

std::string man_subcommands() {
    std::string page = ".SH SUBCOMMANDS\n";
    for (const Subcommand& subcommand : subcommands()) {
        page += fmt::format(".TP\n.B {}\n{}.\n{}.IP\n.nf\nvm\\-launch {}\n.fi\n",
                            roff(name_and_usage(subcommand)), roff(subcommand.help), man_flags(subcommand),
                            roff(subcommand.example));
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

std::string man_stages() {
    std::string page =
        ".SH STAGES\nHow far a boot is, in their order; each is reached by evidence of its own.\nThey are "
        "the "
        "words of\n.BR \\-\\-until ,\n.B \\-\\-health\\-stage\nand of the subcommand wait's\n.BR \\-\\-stage "
        ".\n";
    for (const std::string_view name : boot::stage_names()) {
        page +=
            fmt::format(".TP\n.B {}\n{}.\n", roff(name), roff(boot::meaning_of(*boot::stage_named(name))));
    }
    return page;
}

struct OtherVariable {
    std::string_view name;
    std::string_view meaning;
};
constexpr std::array<OtherVariable, 2> other_variables{
    {{"XDG_RUNTIME_DIR", "the folder in which a user's VMs have their control sockets"},
     {"PATH", "where QEMU, qemu-img, swtpm and ssh are looked for"}}};

std::string man_environment() {
    std::string page =
        ".SH ENVIRONMENT\nEach variable stands for the option below it; an empty one counts as unset.\n";
    for (const OptionRow& row : option_table()) {
        if (!row.environment.empty()) {
            page += fmt::format(".TP\n.B {}\n.B {}\n", roff(variables_of(row)),
                                roff(flag_with_value(row.flag, row.metavar)));
        }
    }
    for (const GeneralOption& option : general_options()) {
        if (!option.environment.empty()) {
            page += fmt::format(".TP\n.B {}\n.B {}\n", roff(option.environment),
                                roff(flag_with_value(option.flag, option.metavar)));
        }
    }
    for (const OtherVariable& variable : other_variables) {
        page += fmt::format(".TP\n.B {}\n{}.\n", roff(variable.name), roff(variable.meaning));
    }
    return page;
}

struct FileOfOurs {
    std::string_view path;
    std::string_view meaning;
};
constexpr std::array<FileOfOurs, 5> files_of_ours{
    {{"/run/vm-launch/NAME.sock", "root: the control socket of a VM that runs, and NAME.lock beside it"},
     {"$XDG_RUNTIME_DIR/vm-launch/, /run/user/UID/vm-launch/, /tmp/vm-launch-UID/",
      "the same of other users, in the first of these that can be had"},
     {"/data/NAME/", "what --persist keeps of a VM, where /data is mounted or --data-dir names a folder"},
     {"/usr/lib/ipxe/, /usr/share/ipxe/, /usr/lib/ipxe/qemu/", "iPXE's programs and option ROMs"},
     {"/etc/vm-launch/NAME.json", "by the systemd unit vm-launch@NAME: its --config"}}};

std::string man_files() {
    std::string page = ".SH FILES\n";
    for (const FileOfOurs& file : files_of_ours) {
        page += fmt::format(".TP\n.I {}\n{}.\n", roff(file.path), roff(file.meaning));
    }
    return page;
}

}  // namespace

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
           man_subcommands() + man_options() + std::string{man_console} + man_environment() + man_files() +
           man_exit_status() + man_stages() + std::string{man_examples} + std::string{man_see_also};
}

}  // namespace vml
