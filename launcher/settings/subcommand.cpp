// What is asked of a subcommand's row.
#include <algorithm>

#include "launcher/settings/command_line.h"

namespace vml {

const Subcommand* find_subcommand(const std::vector<Subcommand>& subcommands, std::string_view name) {
    const auto found = std::find_if(subcommands.begin(), subcommands.end(),
                                    [&](const Subcommand& command) { return command.name == name; });
    return found == subcommands.end() ? nullptr : &*found;
}

bool uses(const Subcommand& subcommand, std::string_view setting) {
    return !subcommand.flags || std::any_of(subcommand.flags->begin(), subcommand.flags->end(),
                                            [&](const UsedFlag& used) { return used.setting == setting; });
}

}  // namespace vml
