// `vm-launch completion`: scripts that complete its command line in a shell, with what this host has: bridges
// and interfaces by /sys/class/net, running VMs by `vm-launch ls`. Pure.
#pragma once

#include <string>

#include "launcher/settings/command_line.h"

namespace vml {

// For bash 5, with or without the package bash-completion.
[[nodiscard]] std::string bash_completion();
// For zsh 5, as a file _vm-launch in $fpath, or sourced after compinit.
[[nodiscard]] std::string zsh_completion();

// Prints the one for the shell that is named. Throws Error.
[[nodiscard]] int print_completion(const CommandLine& command);

}  // namespace vml
