#include "launcher/commands/subcommands.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/output.h"
#include "launcher/commands/commands.h"
#include "launcher/commands/completion.h"
#include "launcher/commands/config_schema.h"
#include "launcher/commands/help.h"
#include "launcher/commands/init_folder.h"
#include "launcher/commands/inspect.h"
#include "launcher/commands/man_page.h"
#include "launcher/commands/run_vm.h"
#include "launcher/commands/test_vms.h"
#include "launcher/events/event.h"
#include "launcher/explain/explain.h"
#include "launcher/netwatch/netwatch.h"
#include "launcher/remote/control_client.h"
#include "launcher/remote/event_client.h"
#include "launcher/remote/guest_exec.h"
#include "launcher/remote/ssh.h"
#include "launcher/remote/vm_table.h"
#include "launcher/settings/guest_exec_line.h"
#include "launcher/settings/run_options.h"
#include "launcher/settings/values.h"

namespace vml {

namespace {

std::string events_table() {
    return events::page();
}

struct Topic {
    std::string_view name;
    std::string (*text)();
};
constexpr std::array<Topic, 6> topics{{{"", help_text},
                                       {"man", man_page},
                                       {"settings", settings_page},
                                       {"control", control_page},
                                       {"schema", config_schema},
                                       {"events-table", events_table}}};

// "man, settings, …".
std::string names_of_topics() {
    std::vector<std::string_view> names;
    for (const Topic& topic : topics) {
        if (!topic.name.empty()) {
            names.push_back(topic.name);
        }
    }
    return fmt::format("{}", fmt::join(names, ", "));
}

int print_help(const CommandLine& command) {
    if (command.words.size() > 1) {
        throw Error{{"help takes one topic", "", "for example: vm-launch help stop", ExitCode::settings}};
    }
    const std::string name = command.words.empty() ? "" : command.words.front();
    const auto* const topic =
        std::find_if(topics.begin(), topics.end(), [&](const Topic& each) { return each.name == name; });
    const Subcommand* subcommand = find_subcommand(subcommands(), name);
    if (topic == topics.end() && subcommand == nullptr) {
        throw Error{{fmt::format("help: unknown topic '{}'", name), "",
                     fmt::format("topics: {}, or a subcommand's name", names_of_topics()),
                     ExitCode::settings}};
    }
    print(subcommand != nullptr ? help_on(*subcommand) : topic->text());
    return 0;
}

std::vector<UsedFlag> flags_of_test() {
    constexpr unsigned most_jobs = 1000;
    return {
        {.flag = "matrix",
         .help = "try these values of a setting, with each value of every other matrix; may be given "
                 "again for another setting, and of a boolean the values are on and off; default is a matrix "
                 "by itself, which the others narrow: every way to boot, on each architecture and NIC model",
         .assign = [](CommandLine& command,
                      std::string_view value) { command.test.matrix.emplace_back(value); },
         .metavar = "SETTING=VALUE,…|default"},
        {.flag = "jobs",
         .help = "at most this many VMs at a time [as many as there are CPUs]; never more than memory "
                 "and CPUs have room for",
         .assign =
             [](CommandLine& command, std::string_view value) {
                 command.test.jobs = static_cast<unsigned>(parse_number(value, 1, most_jobs));
             },
         .metavar = "N",
         .letter = 'j'},
        {.flag = "report",
         .help = "write each VM's report and console into this folder, and index.html with the "
                 "waterfalls of all beside each other",
         .assign = [](CommandLine& command,
                      std::string_view value) { command.test.report = parse_text(value); },
         .metavar = "DIR"},
        {.flag = "junit",
         .help = "write the results as JUnit XML; - is standard output",
         .assign = [](CommandLine& command,
                      std::string_view value) { command.test.junit = parse_text(value); },
         .metavar = "FILE"},
        {.flag = "tap",
         .help = "write the results as TAP 13; - is standard output",
         .assign = [](CommandLine& command, std::string_view value) { command.test.tap = parse_text(value); },
         .metavar = "FILE"}};
}

Subcommand for_tests() {
    return {"test",
            "[OPTIONS] [TESTS.toml|FILE.ipxe|./DIR|URL] [-- QEMU-ARGS…]",
            "text, json",
            true,
            true,
            "run a boot, a matrix of it or the cases of a file, each as a VM of its own, and tell which did "
            "what was expected",
            "without a file it is expected that an operating system runs (or the stage of `--until`), within "
            "300 seconds unless `--boot-timeout` says otherwise; a combination that cannot exist is skipped. "
            "docs/test.md has the keys of a file",
            "",
            test_vms,
            "test --matrix firmware=legacy,uefi --matrix nic-model=virtio,e1000 --junit out.xml ./netboot",
            flags_of_test()};
}

std::vector<Subcommand> for_vms_to_start() {
    return {
        {"run", "[OPTIONS] [FILE.ipxe|./DIR|URL] [-- QEMU-ARGS…]", "", false, true,
         "start a VM (this is what happens without a subcommand); a script, a folder or a URL stands for "
         "--script, --netboot-dir or --bootfile",
         "", "", run_vm, "run --firmware uefi --memory 2G ./netboot"},
        {"plan", "[OPTIONS] [FILE.ipxe|./DIR|URL] [-- QEMU-ARGS…]", "text, json, sh", false, true,
         "print what run would do, and why; starts nothing", "", "",
         [](const ReadResult& read, const Environment& environment, Log& /*log*/) {
             return print_plan(read, environment);
         },
         "plan --format json --firmware uefi --ipxe"},
        {"doctor", "[OPTIONS] [FILE.ipxe|./DIR|URL]", "text, json", false, true,
         "check the host for what the same options would need (network boot, if they name nothing else), and "
         "on a bridge or a device of the host's ask who answers DHCP (--probe), over a link that is made for "
         "that",
         "", "",
         [](const ReadResult& read, const Environment& environment, Log& log) {
             return print_doctor(read, environment, log);
         },
         "doctor --firmware uefi --ipxe"},
        for_tests(),
    };
}

std::vector<Subcommand> by_verbs() {
    std::vector<Subcommand> rows;
    for (const ControlVerb& verb : control_verbs()) {
        rows.push_back({verb.name, verb.usage, verb.formats, true, false, verb.help, verb.details,
                        verb.exit_code,
                        [](const ReadResult& read, const Environment& environment, Log& /*log*/) {
                            return ask_vm(read, value_of(environment, "XDG_RUNTIME_DIR"),
                                          is_in_colour(read.settings.colour, environment));
                        },
                        verb.example, verb.flags});
    }
    return rows;
}

std::vector<Subcommand> for_running_vms() {
    std::vector<Subcommand> rows = by_verbs();
    rows.push_back({"ls", "", "text, json", false, false, "list the VMs that run, one a line",
                    "name, state, stage of the boot, address, forwarded ports, VNC, and how long it has run; "
                    "`--format json` is that of `status`",
                    "0, also where none runs",
                    [](const ReadResult& read, const Environment& environment, Log& /*log*/) {
                        return list_vms(read, value_of(environment, "XDG_RUNTIME_DIR"));
                    },
                    "ls"});
    rows.push_back(
        {"wait",
         "[NAME] [--stage STAGE] [--timeout SECONDS]",
         "",
         true,
         false,
         "wait until a VM's boot reaches a stage, also of a VM that is about to start",
         "ends at once where the stage was reached already; the VM may be started after it",
         "0: the stage was reached; that of the boot's verdict when it failed; 15 after --timeout; 1: the VM "
         "ended before, or there is none",
         [](const ReadResult& read, const Environment& environment, Log& /*log*/) {
             return wait_for_stage(read, value_of(environment, "XDG_RUNTIME_DIR"));
         },
         "wait web --stage os --timeout 120",
         {{"stage", "what is waited for [os]; a stage's name as for --until, no console:REGEX",
           [](CommandLine& command, std::string_view value) { command.stage = parse_health_stage(value); },
           "STAGE", stage_words},
          {"timeout", "exit 15 after so long [none; 30 s for a VM that is not there]",
           [](CommandLine& command, std::string_view value) { command.timeout = parse_seconds(value); },
           "SECONDS"}}});
    return rows;
}

std::vector<Subcommand> for_guests() {
    return {
        {"ssh",
         "[NAME] [--user USER] [-- ARGS…]",
         "",
         true,
         false,
         "log in to the guest of a running VM, by the ssh of this host",
         "by the port of the host that leads to the guest's port 22 (`--ssh-port`), on a bridge to the "
         "address that the guest's DHCP or its agent told; ARGS are ssh's own options and the guest's "
         "command. A guest is made anew more often than not, so its host key is neither checked nor kept, "
         "and no agent is forwarded; options of your own win: for a guest that is kept `-- -o "
         "StrictHostKeyChecking=yes -o UserKnownHostsFile=~/.ssh/known_hosts`",
         "that of ssh: of the guest's command, 255 where ssh failed; 1: there is no way to the guest",
         [](const ReadResult& read, const Environment& environment, Log& /*log*/) {
             return ssh_to_vm(read, value_of(environment, "XDG_RUNTIME_DIR"));
         },
         "ssh web --user debian -- uname -a",
         {{"user", "who logs in; else as ssh's own configuration has it",
           [](CommandLine& command, std::string_view value) { command.user = parse_text(value); }, "USER"}}},
        {guest_exec_name, "[--wait] [--name NAME] COMMAND…", "", true, false,
         "run a command in the guest as exec does, with its output as it comes; a single word with blanks "
         "is a line for the guest's shell; --wait: first for the VM and its agent",
         "the output comes within a second, as files in the guest are read through its agent, or, where "
         "the guest has no `/bin/sh` or no room, at the end; there is no terminal and no standard input",
         "the command's, 127 where there is none of that name; 128+n when signal n killed it; 125 when the "
         "guest "
         "could not be asked",
         [](const ReadResult& read, const Environment& environment, Log& /*log*/) {
             return guest_exec(read, value_of(environment, "XDG_RUNTIME_DIR"));
         },
         "guest-exec --wait --name web systemctl is-system-running", guest_exec_flags()},
    };
}

std::vector<Subcommand> for_files() {
    return {
        {"rom", "FILE…", "text, json", true, false, "tell what is inside an option ROM and where it can run",
         "each image with its PCI IDs, code type and iPXE's version, and whether it boots and where; iPXE's "
         "EFI programs too: whatever `--ipxe-rom` takes",
         "0; 3: a file is none of these",
         [](const ReadResult& read, const Environment& /*environment*/, Log& /*log*/) {
             return print_roms(read.command);
         },
         "rom /usr/lib/ipxe/qemu/efi-virtio.rom"},
        {"explain",
         "FILE.pcap|-",
         "text, json",
         true,
         false,
         "tell the boots that a capture of any machines shows: stages, files and a verdict for each",
         "Ethernet, Linux's \"any\" device and raw IP, as tcpdump and Wireshark write them; - is standard "
         "input (docs/explain.md)",
         "that of the machine's last boot; of several machines the first that is not 0; 17: none boots from "
         "the network",
         [](const ReadResult& read, const Environment& /*environment*/, Log& /*log*/) {
             return explain_capture(read);
         },
         "explain --report boot.html boot.pcap",
         {{.flag = "mac", .help = "this machine alone", .by_flag_alone = true},
          {.flag = "report",
           .help = "write it all as JSON (.json) or as a page (.html)",
           .by_flag_alone = true}}},
    };
}

std::vector<Subcommand> for_networks() {
    return {
        {"watch",
         "INTERFACE",
         "text, json",
         true,
         false,
         "report the boots of all machines on a network interface as they happen: stages, files and verdicts",
         "a bridge or a NIC of this host, where the machines' frames pass; needs CAP_NET_RAW. A terminal "
         "gets "
         "lines and a table of the machines, everybody else JSON lines (docs/watch.md)",
         "0 when a signal ends it; with --until 0: a machine reached the stage, that of its boot's verdict "
         "when "
         "it failed, 15 after --boot-timeout; 3: there is no such interface, it is down or goes away, or "
         "CAP_NET_RAW is missing",
         [](const ReadResult& read, const Environment& environment, Log& /*log*/) {
             return watch_interface(read, environment);
         },
         "watch br0",
         {{.flag = "mac", .help = "this machine alone", .by_flag_alone = true},
          {.flag = "until",
           .help = "end when a machine's boot reaches this stage, or fails",
           .by_flag_alone = true},
          {.flag = "boot-timeout", .help = "with --until: exit 15 after so long", .by_flag_alone = true},
          {.flag = "report",
           .help = "at the end write it all as JSON (.json) or as a page (.html)",
           .by_flag_alone = true}}},
    };
}

std::vector<Subcommand> for_no_vm() {
    return {
        {"init", "[DIR]", "", true, false,
         "write a folder to begin with: a boot.ipxe that boots a kernel beside it",
         "boot it with `vm-launch ./DIR`; a boot.ipxe that is there already is left alone",
         "0; 3: it is there already",
         [](const ReadResult& read, const Environment& /*environment*/, Log& /*log*/) {
             return init_folder(read.command);
         },
         "init ./netboot"},
        {"completion", "bash|zsh", "", true, false,
         "print what completes vm-launch's subcommands, options and values in a shell",
         "`cmake --install` puts both where the shells find them; by hand `source <(vm-launch completion "
         "bash)`",
         "0",
         [](const ReadResult& read, const Environment& /*environment*/, Log& /*log*/) {
             return print_completion(read.command);
         },
         "completion bash"},
        {"help", "[man|settings|control|schema|events-table|SUBCOMMAND]", "", true, false,
         "print this help, the man page's source, the table of settings, of what can be asked of a VM or of "
         "events, the JSON schema of --config, or a subcommand's help",
         "", "0",
         [](const ReadResult& read, const Environment& /*environment*/, Log& /*log*/) {
             return print_help(read.command);
         },
         "help stop"},
    };
}

}  // namespace

const std::vector<Subcommand>& subcommands() {
    static const std::vector<Subcommand> all = [] {
        std::vector<Subcommand> rows;
        for (const auto& part : {for_vms_to_start(), for_running_vms(), for_guests(), for_files(),
                                 for_networks(), for_no_vm()}) {
            rows.insert(rows.end(), part.begin(), part.end());
        }
        return rows;
    }();
    return all;
}

}  // namespace vml
