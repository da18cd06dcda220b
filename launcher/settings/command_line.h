// argv → subcommand, flags and words: the one place that knows Boost.Program_options. Pure.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/choice.h"
#include "base/log.h"
#include "launcher/settings/environment.h"
#include "launcher/settings/layer.h"

namespace vml {

enum class OutputFormat { text, json, sh };
template <>
inline constexpr auto choices<OutputFormat> = std::to_array<Choice<OutputFormat>>(
    {{"text", OutputFormat::text}, {"json", OutputFormat::json}, {"sh", OutputFormat::sh}});

// What the command line says beside settings.
struct CommandLine {
    std::string subcommand = "run";  // a Subcommand's name
    bool named = false;              // it was given, not understood
    bool help = false;
    bool version = false;
    std::optional<OutputFormat> format;
    std::vector<std::string> words;  // positional arguments: the files of `rom`, a VM's name
    std::vector<std::string> rest;   // what `exec` and `ssh` have behind --; of `guest-exec`, the command
    bool wait = false;               // of `guest-exec`
    std::map<std::string, std::string, std::less<>> own;  // a subcommand's own flags, without dashes

    bool operator==(const CommandLine&) const = default;
};

struct ReadResult;

// A flag that a subcommand takes although it starts no VM.
struct UsedFlag {
    std::string_view flag;          // without dashes: that of a setting, unless `is_own`
    std::string_view help;          // what it does there
    bool is_own = false;            // it is no setting, and comes as CommandLine::own
    std::string_view metavar = {};  // of an own one; empty: it takes no value
};
// What every subcommand takes: its faults are written that way.
inline constexpr std::string_view flag_of_faults = "log-format";

struct Subcommand {
    std::string_view name;
    std::string_view usage;    // what follows the name
    std::string_view formats;  // what --format takes; empty: there is no --format
    bool takes_words;          // positional arguments
    bool takes_settings;       // it is about a VM that may be started; else the settings are not looked at
    std::string_view help;     // one sentence, no full stop
    // More of the same, in Markdown, and what its exit code says: "" where the help's own list says it.
    std::string_view details;
    std::string_view exit_code;
    // Gives the process's exit code.
    int (*run)(const ReadResult& read, const Environment& environment, Log& log);
    std::string_view example{};  // how it is called, without "vm-launch"
    // Where takes_settings is false: the flags that it takes all the same, beside flag_of_faults, and no
    // others.
    std::vector<UsedFlag> flags{};

    // What stands behind -- is its own, and nothing for QEMU.
    [[nodiscard]] bool takes_rest() const { return usage.find("-- ") != std::string_view::npos; }
};

// Does it take this flag of a setting?
[[nodiscard]] bool uses(const Subcommand& subcommand, std::string_view setting);
// A flag of its own, or nullptr.
[[nodiscard]] const UsedFlag* own_flag(const Subcommand& subcommand, std::string_view flag);

// nullptr: there is none. The first one is what no subcommand means.
[[nodiscard]] const Subcommand* find_subcommand(const std::vector<Subcommand>& subcommands,
                                                std::string_view name);

struct ParsedCommandLine {
    CommandLine command;
    Layer layer;
    std::optional<std::vector<std::string>> qemu_args;  // behind --
};

// `arguments` is argv without the program's name. All faults are collected.
[[nodiscard]] ParsedCommandLine parse_command_line(std::vector<std::string> arguments,
                                                   const std::vector<Subcommand>& subcommands);

}  // namespace vml
