// vm-launch explain: a capture, made by anything of any machine, → each boot's stages and verdict.
#pragma once

#include "launcher/settings/settings_reader.h"

namespace vml {

// Prints them and writes what --report names. Gives the exit code: the machine's last boot's, or the first
// one's that failed of several. Throws Error.
[[nodiscard]] int explain_capture(const ReadResult& read);

}  // namespace vml
