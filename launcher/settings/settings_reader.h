// The step "read": argv, environment and configuration file → Settings with the origin of each. Pure; the
// caller supplies the file's contents. Every fault is collected before any is reported.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "launcher/settings/command_line.h"
#include "launcher/settings/environment.h"
#include "launcher/settings/settings.h"

namespace vml {

struct ReadResult {
    CommandLine command;
    Settings settings;
    Origins origins;
    std::vector<Fault> faults;             // each with ExitCode::settings
    std::vector<std::string> warnings;     // values that were mended, variables that have no effect
    std::string given{};                   // how vm-launch was called (given_command.h)
    std::vector<std::string> arguments{};  // the same as it came, for what starts others in its turn
    bool in_variables = false;             // all that was given, right or wrong, was given by variables
    std::optional<Raw> config{};           // the configuration file's name
};

// How to word what the user of these settings is told.
[[nodiscard]] Log::Wording wording_for(const ReadResult& read);

// The text of a file, or an Error; called for --config only.
using ReadFile = std::function<std::string(const std::string& path)>;

// `arguments` is argv without the program's name. Flags win over the environment, the environment over
// --config FILE
// ($VM_LAUNCH_CONFIG), that over defaults. An empty variable is as good as none.
[[nodiscard]] ReadResult read_settings(const std::vector<std::string>& arguments,
                                       const Environment& environment, const ReadFile& read_file,
                                       const std::vector<Subcommand>& subcommands);

}  // namespace vml
