// `vm-launch guest-exec [--wait] [--name NAME] COMMAND…`: all that follows is the command's own, its flags
// too. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launcher/settings/command_line.h"

namespace vml {

inline constexpr std::string_view guest_exec_name = "guest-exec";

// `--wait` and `--name NAME`.
[[nodiscard]] const std::vector<UsedFlag>& guest_exec_flags();

// Nothing, where the arguments begin otherwise. One word with blanks is a line for the guest's shell.
[[nodiscard]] std::optional<ParsedCommandLine> guest_exec_line(const std::vector<std::string>& arguments);

}  // namespace vml
