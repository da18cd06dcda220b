// argv → subcommand, flags and words: the one place that knows Boost.Program_options. Pure.
#pragma once

#include <array>
#include <chrono>
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
    std::vector<std::string> words;                 // positional arguments: the files of `rom`, a VM's name
    std::vector<std::string> guest_command;         // of `exec`, behind --; of `guest-exec`
    bool wait = false;                              // of `guest-exec`
    bool follow = false;                            // of `status`
    std::string stage = "os";                       // of `wait`: a stage's name
    std::optional<std::chrono::seconds> timeout{};  // of `wait`

    bool operator==(const CommandLine&) const = default;
};

struct ReadResult;

struct UsedFlag {
    std::string_view setting;
    std::string_view help;  // what it does there
};

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
    // Where takes_settings is false: the settings whose flags it takes all the same, and no others. Nothing:
    // any is taken, as a running VM's verbs use several.
    std::optional<std::vector<UsedFlag>> flags{};
};

// Does it take this setting's flag?
[[nodiscard]] bool uses(const Subcommand& subcommand, std::string_view setting);

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
