// Flags of one subcommand alone that are no settings: rows of one table, from which its help follows too.
// Pure.
#pragma once

#include <span>
#include <string_view>

#include "launcher/settings/command_line.h"

namespace vml {

struct OwnFlag {
    std::string_view subcommand;
    std::string_view name;     // without dashes
    std::string_view metavar;  // empty: it is on or off
    std::string_view help;
    void (*assign)(CommandLine& command, std::string_view value);  // throws ValueError
};

[[nodiscard]] std::span<const OwnFlag> own_flags();
// nullptr: it has none of that name.
[[nodiscard]] const OwnFlag* find_own_flag(std::string_view subcommand, std::string_view name);
// Is it one of any subcommand's?
[[nodiscard]] bool is_own_flag(std::string_view name);
[[nodiscard]] bool is_own_switch(std::string_view name);  // that takes no value

// A value that cannot be right is a fault of the line.
void take_own_flag(const OwnFlag& flag, std::string_view value, ParsedCommandLine& line);

}  // namespace vml
