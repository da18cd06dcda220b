// `vm-launch test`: a boot, its matrix or the cases of a file → VMs that are run, and their results.
#pragma once

#include "base/log.h"
#include "launcher/settings/settings_reader.h"

namespace vml {

// Gives the process's exit code: ExitCode::tests_failed where a boot did not do what was expected of it, 128
// and the number of the signal that stopped the test. Throws Error, of wrong settings before anything runs.
[[nodiscard]] int test_vms(const ReadResult& read, const Environment& environment, Log& log);

}  // namespace vml
