#include "launcher/commands/commands.h"

#include <cerrno>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/file.h"
#include "base/output.h"
#include "launcher/commands/help.h"
#include "launcher/commands/subcommands.h"

namespace vml {

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
        throw Error{read.faults};
    }
    return find_subcommand(subcommands(), command.subcommand)->run(read, environment, log);
}

std::string read_text_file(const std::string& path) {
    if (std::optional<std::string> text = read_file(path)) {
        return *std::move(text);
    }
    throw Error{{fmt::format("cannot read {}", path), errno_text(errno), "", ExitCode::settings}};
}

}  // namespace vml
