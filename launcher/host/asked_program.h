// Runs a program that answers a question, in bounds. Makes system calls.
#pragma once

#include <string>

#include "launcher/process/spawn.h"

namespace vml {

// What it writes, at most 1 MiB in at most 20 s, with 10 s of CPU time and 1 GiB of memory; it is gone
// afterwards. `request.output` is set here. Throws Error where it cannot be started.
[[nodiscard]] std::string answer_of(SpawnRequest request);

}  // namespace vml
