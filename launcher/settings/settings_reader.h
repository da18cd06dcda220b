// The step "read": argv, environment and configuration file → Settings with the origin of each. Pure but for
// nothing: the caller hands the file's text in. Every fault is collected before any is reported.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "launcher/settings/settings.h"

namespace vml {

enum class OutputFormat { text, json, sh };

// What the command line says beside settings.
struct CommandLine {
    std::string subcommand = "run";  // one of subcommands()
    bool help = false;
    bool version = false;
    std::optional<OutputFormat> format;
    std::vector<std::string> words;          // positional arguments: the files of `rom`, a VM's name
    std::vector<std::string> guest_command;  // of `exec`, behind --

    bool operator==(const CommandLine&) const = default;
};

struct ReadResult {
    CommandLine command;
    Settings settings;
    Origins origins;
    std::vector<Fault> faults;          // each with ExitCode::settings
    std::vector<std::string> warnings;  // variables that look like a setting and are none
};

using Environment = std::map<std::string, std::string, std::less<>>;
// The text of a file, or an Error; called for --config only.
using ReadFile = std::function<std::string(const std::string& path)>;

// `arguments` is argv without the program's name. Flags win over the environment, the environment over
// --config FILE
// ($VM_LAUNCH_CONFIG), that over defaults. An empty variable is as good as none.
[[nodiscard]] ReadResult read_settings(const std::vector<std::string>& arguments,
                                       const Environment& environment, const ReadFile& read_file);

struct Subcommand {
    std::string_view name;
    std::string_view usage;    // what follows the name
    std::string_view formats;  // what --format takes; empty: there is no --format
    std::string_view help;
};
[[nodiscard]] const std::vector<Subcommand>& subcommands();

}  // namespace vml
