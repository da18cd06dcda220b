// argv → subcommand, flags and words: the one place that knows Boost.Program_options. Pure.
#pragma once

#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
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

// What `test` is told beside settings.
struct TestFlags {
    std::vector<std::string> matrix{};              // "firmware=legacy,uefi", as given
    std::optional<unsigned> jobs{};                 // VMs at a time, at most
    std::optional<std::filesystem::path> report{};  // a folder
    std::optional<std::filesystem::path> junit{};
    std::optional<std::filesystem::path> tap{};  // "-": standard output

    bool operator==(const TestFlags&) const = default;
};

// What the command line says beside settings.
struct CommandLine {
    std::string subcommand = "run";  // a Subcommand's name
    bool named = false;              // it was given, not understood
    bool help = false;
    bool version = false;
    std::optional<OutputFormat> format;
    std::vector<std::string> words;  // positional arguments: the files of `rom`, a VM's name
    std::vector<std::string> rest;   // what `exec` and `ssh` have behind --; of `guest-exec`, the command
    // What flags of a subcommand's own set (UsedFlag::assign).
    bool wait = false;                              // of `guest-exec`
    bool follow = false;                            // of `status`
    std::string stage = "os";                       // of `wait`: a stage's name
    std::optional<std::chrono::seconds> timeout{};  // of `wait`
    std::optional<std::string> user{};              // of `ssh`
    TestFlags test{};

    bool operator==(const CommandLine&) const = default;
};

struct ReadResult;

// A flag that a subcommand takes although it starts no VM: that of a setting, or one of its own.
struct UsedFlag {
    std::string_view flag;  // without dashes
    std::string_view help;  // what it does there
    // Of its own: what the flag's value sets. Throws ValueError.
    void (*assign)(CommandLine& command, std::string_view value) = nullptr;
    std::string_view metavar = {};                      // of its own; empty: it is on or off
    std::vector<std::string> (*suggested)() = nullptr;  // of its own: words that its value may be
    bool by_flag_alone =
        false;           // of a setting: its variable and the configuration file are about a VM's start
    char letter = '\0';  // of its own: the short flag; '\0': there is none

    [[nodiscard]] bool is_own() const { return assign != nullptr; }
    [[nodiscard]] bool is_switch() const { return is_own() && metavar.empty(); }
};
// What every subcommand takes: its faults are written that way, and so coloured.
inline constexpr std::string_view flag_of_faults = "log-format";
inline constexpr std::string_view flag_of_colour = "color";

struct Subcommand {
    std::string_view name;
    std::string_view usage;    // what follows the name
    std::string_view formats;  // what --format takes; empty: there is no --format
    bool takes_words;          // positional arguments; beside settings: test files alone
    bool takes_settings;       // it is about a VM that may be started; else the settings are not looked at
    std::string_view help;     // one sentence, no full stop
    // More of the same, in Markdown, and what its exit code says: "" where the help's own list says it.
    std::string_view details;
    std::string_view exit_code;
    // Gives the process's exit code.
    int (*run)(const ReadResult& read, const Environment& environment, Log& log);
    std::string_view example{};  // how it is called, without "vm-launch"
    // Where takes_settings is false: the flags that it takes all the same, beside flag_of_faults and
    // flag_of_colour, and no others.
    std::vector<UsedFlag> flags{};

    // What stands behind -- is its own, and nothing for QEMU.
    [[nodiscard]] bool takes_rest() const { return usage.find("-- ") != std::string_view::npos; }
};

// Hints: where a subcommand's words are told, and where the flags of others go.
[[nodiscard]] std::string see_help(const Subcommand& subcommand);
[[nodiscard]] std::string hint_on_flags(const Subcommand& subcommand);

// Does it take this flag of a setting? And its variable?
[[nodiscard]] bool uses(const Subcommand& subcommand, std::string_view setting);
[[nodiscard]] bool uses_variable_of(const Subcommand& subcommand, std::string_view setting);
// A flag of its own, or nullptr.
[[nodiscard]] const UsedFlag* own_flag(const Subcommand& subcommand, std::string_view flag);
// One of any subcommand's own, or nullptr.
[[nodiscard]] const UsedFlag* own_flag_of_any(const std::vector<Subcommand>& subcommands,
                                              std::string_view flag);

// nullptr: there is none. The first one is what no subcommand means.
[[nodiscard]] const Subcommand* find_subcommand(const std::vector<Subcommand>& subcommands,
                                                std::string_view name);

struct ParsedCommandLine {
    CommandLine command;
    Layer layer;
    std::optional<std::vector<std::string>> qemu_args;  // behind --
};

// The names of all their own flags that are no setting's too.
[[nodiscard]] std::set<std::string> own_flags_alone(const std::vector<Subcommand>& subcommands);

// A value that cannot be right is a fault of the line.
void take_own_flag(const UsedFlag& flag, std::string_view value, ParsedCommandLine& line);

// `arguments` is argv without the program's name. All faults are collected.
[[nodiscard]] ParsedCommandLine parse_command_line(std::vector<std::string> arguments,
                                                   const std::vector<Subcommand>& subcommands);

}  // namespace vml
