// `vm-launch init DIR`: a folder to begin with, that --netboot-dir serves. Makes files.
#pragma once

#include "launcher/settings/command_line.h"

namespace vml {

// Writes boot.ipxe into the folder, which is made where it is not there. Nothing that is there is changed.
// Throws Error.
int init_folder(const CommandLine& command);

}  // namespace vml
