#include "launcher/commands/commands.h"

#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"
#include "base/output.h"
#include "launcher/commands/help.h"
#include "launcher/commands/subcommands.h"
#include "launcher/console/terminal.h"
#include "launcher/remote/control_verbs.h"
#include "launcher/settings/guest_exec_line.h"

namespace vml {

namespace {

// exec's own failures have one exit code, so that none of them is taken for its command's.
Error refusal(const ReadResult& read) {
    std::vector<Fault> faults = read.faults;
    const ControlVerb* verb = find_verb(read.command.subcommand);
    const bool runs_command = (verb != nullptr && verb->failure == ExitCode::exec_failed) ||
                              read.command.subcommand == guest_exec_name;
    for (Fault& fault : faults) {
        fault.code = runs_command ? ExitCode::exec_failed : fault.code;
    }
    return Error{std::move(faults)};
}

}  // namespace

int run_command(const ReadResult& read, const Environment& environment, Log& log) {
    const CommandLine& command = read.command;
    if (command.version) {
        print(version_line() + "\n");
        return 0;
    }
    if (command.help) {
        print(command.named ? help_on(*find_subcommand(subcommands(), command.subcommand)) : help_text());
        return 0;
    }
    for (const std::string& warning : read.warnings) {
        log.warning(warning);
    }
    if (!read.faults.empty()) {
        throw refusal(read);
    }
    return find_subcommand(subcommands(), command.subcommand)->run(read, environment, log);
}

bool is_in_colour(ColourChoice choice, const Environment& environment) {
    return wants_colour(choice, is_terminal(STDERR_FILENO), value_of(environment, "TERM"),
                        value_of(environment, "NO_COLOR"));
}

std::string read_text_file(const std::string& path) {
    constexpr std::size_t longest = std::size_t{1} << 20U;
    if (path.empty()) {
        throw Error{{"no file is named", "", "", ExitCode::settings}};
    }
    if (std::optional<std::string> text = read_file(path, longest)) {
        return *std::move(text);
    }
    throw Error{{fmt::format("cannot read {}", path), errno_text(errno), "", ExitCode::settings}};
}

}  // namespace vml
