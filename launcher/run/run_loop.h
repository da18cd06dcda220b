// The event loop around a running VM: brings signals, QMP, console and the child's end to the supervisor, and
// carries out what it decides.
#pragma once

#include "launcher/keeper/vm_files.h"
#include "launcher/run/run_inputs.h"
#include "launcher/run/run_options.h"
#include "launcher/start/apply.h"

namespace vml {

// Gives up the privileges that only the start needed, supervises the VM to its end, reaps it, puts the
// terminal back, reports, and gives the process's exit code. `files` outlives all that it does.
[[nodiscard]] int supervise_vm(const Plan& plan, RunningVm vm, VmFiles& files, const RunOptions& options,
                               RunInputs inputs);

}  // namespace vml
