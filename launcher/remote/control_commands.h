// The subcommands that talk to a running VM: each asks it over its control socket, and gives what is printed
// or the exit code.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launcher/remote/status.h"
#include "launcher/settings/settings_reader.h"

namespace vml {

// What the VMs that can be reached tell of themselves (control.md, "status").
[[nodiscard]] std::vector<nlohmann::json> told_by_vms();

// Waits for the VM's end; its exit code is told, not taken.
[[nodiscard]] std::string stop_vm(const CommandLine& command);
// Returns once the guest goes on.
void resume_vm(const CommandLine& command);
void reset_vm(const CommandLine& command);
void watch_console(const CommandLine& command, bool raw);
void take_screenshot(const CommandLine& command);
// Throws Error when the VM is not healthy, or has not reached the stage.
[[nodiscard]] std::string check_health(const CommandLine& command, const std::optional<std::string>& stage);
// Gives the status of the command that ran in the guest; its output has been written.
[[nodiscard]] int exec_in_guest(const CommandLine& command);

}  // namespace vml
