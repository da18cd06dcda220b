// Runs the VMs of a test, as many at a time as there is room for, until all have ended or a signal stops
// them. Makes system calls.
#pragma once

#include "launcher/testing/display.h"
#include "launcher/testing/prepared_cell.h"

namespace vml {

// SIGINT, SIGTERM, SIGHUP, SIGQUIT: every VM is told to stop (SIGTERM) and waited for; a second one tells
// them again, which forces them, and what is left 5 s later is killed, as it is at once by a third. None
// outlives the call, nor, where the process itself is killed, that. From now on a write that nobody reads is
// an error (SIGPIPE is ignored). Call it before the process has threads. Throws Error.
[[nodiscard]] TestEnd run_cells(const TestPlan& plan, Display& display);

}  // namespace vml
