// Every subcommand: one row, from which help, command line and dispatch follow.
#pragma once

#include <vector>

#include "launcher/settings/command_line.h"

namespace vml {

[[nodiscard]] const std::vector<Subcommand>& subcommands();

}  // namespace vml
