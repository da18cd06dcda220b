// The subcommands that talk to a running VM: each asks it over its control socket, shows the answer and gives
// the exit code.
#pragma once

#include <vector>

#include "launcher/remote/control_verbs.h"
#include "launcher/remote/status.h"

namespace vml {

// Carries out the subcommand of a verb. `runtime_dir`: $XDG_RUNTIME_DIR; `colour`: in lines of ours on
// standard error. Throws Error.
[[nodiscard]] int ask_vm(const ReadResult& read, std::string_view runtime_dir, bool colour);

// The VM that the command line names, or the only one that runs. Throws Error (ExitCode::settings where
// several run).
[[nodiscard]] control::Address named_vm(const Question& question);

// What the VM tells of itself (docs/control.md, "status"), unchecked.
[[nodiscard]] nlohmann::json status_words(const control::Address& vm);
// Every VM that runs, or that is named, with what it tells. One that does not answer costs a warning.
[[nodiscard]] std::vector<RunningStatus> vms_with_told(const Question& question);

// The rows' own parts.
[[nodiscard]] int print_status(const Question& question);
[[nodiscard]] int watch_console(const Question& question);
[[nodiscard]] int take_screenshot(const Question& question);
// The VM's exit code is told, not taken.
[[nodiscard]] int show_end(const Dialogue& dialogue);
[[nodiscard]] int show_nothing(const Dialogue& dialogue);
// Throws Error when the VM is not healthy, or has not reached the stage.
[[nodiscard]] int show_health(const Dialogue& dialogue);
// Gives the status of the command that ran in the guest; its output is written.
[[nodiscard]] int show_exec(const Dialogue& dialogue);

}  // namespace vml
