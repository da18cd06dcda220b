// vm-launch watch: the boots of all machines on a network interface, as they happen.
#pragma once

#include "launcher/settings/environment.h"
#include "launcher/settings/settings_reader.h"

namespace vml {

// Prints them, and writes what --report names at the end. Gives the exit code. Throws Error.
[[nodiscard]] int watch_interface(const ReadResult& read, const Environment& environment);

}  // namespace vml
