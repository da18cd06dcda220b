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
#include "launcher/remote/control_client.h"
#include "launcher/remote/guest_exec.h"
#include "launcher/settings/guest_exec_line.h"

namespace vml {

namespace {

struct Topic {
    std::string_view name;
    std::string (*text)();
};
constexpr std::array<Topic, 4> topics{
    {{"", help_text}, {"man", man_page}, {"settings", settings_page}, {"control", control_page}}};

int print_help(const CommandLine& command) {
    const std::string name = command.words.empty() ? "" : command.words.front();
    const auto* const topic =
        std::find_if(topics.begin(), topics.end(), [&](const Topic& each) { return each.name == name; });
    if (topic == topics.end()) {
        throw Error{{fmt::format("help: unknown topic '{}'", name), "", "topics: man, settings, control",
                     ExitCode::settings}};
    }
    print(topic->text());
    return 0;
}

std::vector<Subcommand> for_vms_to_start() {
    return {
        {"run", "[OPTIONS] [FILE.ipxe|./DIR|URL] [-- QEMU-ARGS…]", "", false, true,
         "start a VM (this is what happens without a subcommand); a script, a folder or a URL stands for "
         "--script, --netboot-dir or --bootfile",
         run_vm},
        {"plan", "[OPTIONS] [FILE.ipxe|./DIR|URL] [-- QEMU-ARGS…]", "text, json, sh", false, true,
         "print what run would do, and why; starts nothing",
         [](const ReadResult& read, const Environment& environment, Log& /*log*/) {
             return print_plan(read, environment);
         }},
        {"doctor", "[OPTIONS] [FILE.ipxe|./DIR|URL]", "", false, true,
         "check the host for what the same options would need (network boot, if they name nothing else)",
         [](const ReadResult& read, const Environment& environment, Log& /*log*/) {
             return print_doctor(read, environment);
         }},
    };
}

std::vector<Subcommand> for_running_vms() {
    std::vector<Subcommand> rows;
    for (const ControlVerb& verb : control_verbs()) {
        rows.push_back({verb.name, verb.usage, verb.formats, true, false, verb.help,
                        [](const ReadResult& read, const Environment& environment, Log& /*log*/) {
                            return ask_vm(read, value_of(environment, "XDG_RUNTIME_DIR"));
                        }});
    }
    rows.push_back({guest_exec_name, "[--wait] [--name NAME] COMMAND…", "", true, false,
                    "exec with the command's output as it comes; a single word with blanks is "
                    "for the guest's shell; --wait: first for the VM and its agent",
                    [](const ReadResult& read, const Environment& environment, Log& /*log*/) {
                        return guest_exec(read, value_of(environment, "XDG_RUNTIME_DIR"));
                    }});
    return rows;
}

std::vector<Subcommand> for_no_vm() {
    return {
        {"init", "[DIR]", "", true, false,
         "write a folder to begin with: a boot.ipxe that boots a kernel beside it",
         [](const ReadResult& read, const Environment& /*environment*/, Log& /*log*/) {
             return init_folder(read.command);
         }},
        {"rom", "FILE…", "text, json", true, false, "tell what is inside an option ROM and where it can run",
         [](const ReadResult& read, const Environment& /*environment*/, Log& /*log*/) {
             return print_roms(read.command);
         }},
        {"help", "[man|settings|control]", "", true, false,
         "print this help, the man page's source, or the table of settings or of what can be asked of a VM",
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
