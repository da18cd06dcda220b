// The EFI programs that the firmware's own network client could be given. Reads files.
#pragma once

#include <vector>

#include "launcher/settings/settings.h"
#include "launcher/vm/facts.h"

namespace vml {

// iPXE's first, and of each kind those of the folder that the user serves before the distribution's; nothing
// where the firmware's client does not boot. `user`: who QEMU runs as, if not as vm-launch does.
[[nodiscard]] std::vector<BootProgram> boot_programs(const Settings& settings, FirmwareMode firmware,
                                                     Arch arch, const std::optional<RunUser>& user);

}  // namespace vml
