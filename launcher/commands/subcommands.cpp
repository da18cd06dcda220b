#include "launcher/commands/subcommands.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/output.h"
#include "launcher/commands/help.h"
#include "launcher/commands/init_folder.h"
#include "launcher/commands/inspect.h"
#include "launcher/commands/run_vm.h"
#include "launcher/events/event.h"
#include "launcher/explain/explain.h"
#include "launcher/remote/control_client.h"
#include "launcher/remote/event_client.h"
#include "launcher/remote/guest_exec.h"
#include "launcher/settings/guest_exec_line.h"

namespace vml {

namespace {

std::string events_table() {
    return events::page();
}

struct Topic {
    std::string_view name;
    std::string (*text)();
};
constexpr std::array<Topic, 5> topics{{{"", help_text},
                                       {"man", man_page},
                                       {"settings", settings_page},
                                       {"control", control_page},
                                       {"events-table", events_table}}};

int print_help(const CommandLine& command) {
    const std::string name = command.words.empty() ? "" : command.words.front();
    const auto* const topic =
        std::find_if(topics.begin(), topics.end(), [&](const Topic& each) { return each.name == name; });
    const Subcommand* subcommand = find_subcommand(subcommands(), name);
    if (topic == topics.end() && subcommand == nullptr) {
        throw Error{{fmt::format("help: unknown topic '{}'", name), "",
                     "topics: man, settings, control, events-table, or a subcommand's name",
                     ExitCode::settings}};
    }
    print(subcommand != nullptr ? help_on(*subcommand) : topic->text());
    return 0;
}

std::vector<Subcommand> for_vms_to_start() {
    return {
        {"run", "[OPTIONS] [FILE.ipxe|./DIR|URL] [-- QEMU-ARGS…]", "", false, true,
         "start a VM (this is what happens without a subcommand); a script, a folder or a URL stands for "
         "--script, --netboot-dir or --bootfile",
         "", "", run_vm},
        {"plan", "[OPTIONS] [FILE.ipxe|./DIR|URL] [-- QEMU-ARGS…]", "text, json, sh", false, true,
         "print what run would do, and why; starts nothing", "", "",
         [](const ReadResult& read, const Environment& environment, Log& /*log*/) {
             return print_plan(read, environment);
         }},
        {"doctor", "[OPTIONS] [FILE.ipxe|./DIR|URL]", "text, json", false, true,
         "check the host for what the same options would need (network boot, if they name nothing else), and "
         "on a bridge or a device of the host's ask who answers DHCP (--probe), over a link that is made for "
         "that",
         "", "",
         [](const ReadResult& read, const Environment& environment, Log& /*log*/) {
             return print_doctor(read, environment);
         }},
    };
}

std::vector<Subcommand> for_running_vms() {
    std::vector<Subcommand> rows;
    for (const ControlVerb& verb : control_verbs()) {
        rows.push_back({verb.name, verb.usage, verb.formats, true, false, verb.help, verb.details,
                        verb.exit_code,
                        [](const ReadResult& read, const Environment& environment, Log& /*log*/) {
                            return ask_vm(read, value_of(environment, "XDG_RUNTIME_DIR"));
                        }});
    }
    rows.push_back(
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
         }});
    rows.push_back(
        {"wait", "[NAME] [--stage STAGE] [--timeout SECONDS]", "", true, false,
         "wait until a VM's boot reaches a stage, also of a VM that is about to start",
         "ends at once where the stage was reached already; the VM may be started after it",
         "0: the stage was reached; that of the boot's verdict when it failed; 15 after --timeout; 1: the VM "
         "ended before, or there is none",
         [](const ReadResult& read, const Environment& environment, Log& /*log*/) {
             return wait_for_stage(read, value_of(environment, "XDG_RUNTIME_DIR"));
         }});
    return rows;
}

std::vector<Subcommand> for_no_vm() {
    return {
        {"init", "[DIR]", "", true, false,
         "write a folder to begin with: a boot.ipxe that boots a kernel beside it",
         "boot it with `vm-launch ./DIR`; a boot.ipxe that is there already is left alone",
         "0; 3: it is there already",
         [](const ReadResult& read, const Environment& /*environment*/, Log& /*log*/) {
             return init_folder(read.command);
         }},
        {"rom", "FILE…", "text, json", true, false, "tell what is inside an option ROM and where it can run",
         "each image with its PCI IDs, code type and iPXE's version, and whether it boots and where; iPXE's "
         "EFI programs too: whatever `--ipxe-rom` takes",
         "0; 3: a file is none of these",
         [](const ReadResult& read, const Environment& /*environment*/, Log& /*log*/) {
             return print_roms(read.command);
         },
         std::vector<UsedFlag>{}},
        {"explain", "FILE.pcap|-", "text, json", true, false,
         "tell the boots that a capture of any machines shows: stages, files and a verdict for each",
         "Ethernet, Linux's \"any\" device and raw IP, as tcpdump and Wireshark write them; - is standard "
         "input (docs/explain.md)",
         "that of the machine's last boot; of several machines the first that is not 0; 17: none boots from "
         "the network",
         [](const ReadResult& read, const Environment& /*environment*/, Log& /*log*/) {
             return explain_capture(read);
         },
         std::vector<UsedFlag>{{"mac", "this machine alone"},
                               {"report", "write it all as JSON (.json) or as a page (.html)"}}},
        {"help", "[man|settings|control|events-table|SUBCOMMAND]", "", true, false,
         "print this help, the man page's source, the table of settings, of what can be asked of a VM or of "
         "events, or "
         "a subcommand's help",
         "", "0",
         [](const ReadResult& read, const Environment& /*environment*/, Log& /*log*/) {
             return print_help(read.command);
         }},
    };
}

}  // namespace

const std::vector<Subcommand>& subcommands() {
    static const std::vector<Subcommand> all = [] {
        std::vector<Subcommand> rows;
        for (const auto& part : {for_vms_to_start(), for_running_vms(), for_no_vm()}) {
            rows.insert(rows.end(), part.begin(), part.end());
        }
        return rows;
    }();
    return all;
}

}  // namespace vml
