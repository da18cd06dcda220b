// Runs the VMs of a test, as many at a time as there is room for, until all have ended or a signal stops
// them. Makes system calls.
#pragma once

#include "launcher/testing/display.h"
#include "launcher/testing/prepared_cell.h"

namespace vml {

// SIGINT, SIGTERM, SIGHUP: every VM is told to stop (SIGTERM) and waited for; a second one tells them again,
// which forces them. None outlives the call, nor, where the process itself is killed, that. Call it before
// the process has threads. Throws Error.
[[nodiscard]] TestEnd run_cells(const TestPlan& plan, Display& display);

}  // namespace vml
