// What help, man page, completion and schema have in common. Pure.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/settings/command_line.h"
#include "launcher/settings/option_table.h"

namespace vml {

inline constexpr std::array<OptionGroup, 5> option_groups{
    OptionGroup::boot, OptionGroup::network, OptionGroup::machine, OptionGroup::disks, OptionGroup::running};

// A flag that is no setting.
struct GeneralOption {
    std::string_view flag;
    std::string_view environment;
    std::string_view metavar;
    std::string help;
};
[[nodiscard]] std::vector<GeneralOption> general_options();
// Those that this subcommand takes.
[[nodiscard]] std::vector<GeneralOption> general_options_of(const Subcommand& subcommand);

// "--flag" or "--flag VALUE".
[[nodiscard]] std::string flag_with_value(std::string_view flag, std::string_view metavar);
// What stands behind a flag that a subcommand takes.
[[nodiscard]] std::string_view metavar_of(const UsedFlag& used);
// "-j, --jobs N"
[[nodiscard]] std::string used_flag_text(const UsedFlag& used);
// With a space between, where there is a usage.
[[nodiscard]] std::string name_and_usage(const Subcommand& subcommand);

// Its variable, and the second one.
[[nodiscard]] std::string variables_of(const OptionRow& row);

}  // namespace vml
