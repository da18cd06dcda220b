// Who follows a running VM's events over its control socket: `events`, `status --follow` and `wait`. Makes
// system calls.
#pragma once

#include <string_view>

#include "launcher/remote/control_verbs.h"

namespace vml {

// Each shows the events until the VM has ended, and gives 0: as lines of JSON, or as people read them. Throws
// Error.
[[nodiscard]] int print_events(const Question& question);
[[nodiscard]] int follow_status(const Question& question);

// Waits until the boot of the VM comes to the stage, also for a VM that is yet to start: 0. Throws Error with
// the exit code of the boot's verdict, or ExitCode::boot_timeout. `runtime_dir`: $XDG_RUNTIME_DIR.
[[nodiscard]] int wait_for_stage(const ReadResult& read, std::string_view runtime_dir);

}  // namespace vml
