// What is to be served to the guest: --netboot-dir, --script, --kernel, --initrd. Reads files, and standard
// input where the script comes from there.
#pragma once

#include "launcher/settings/settings.h"
#include "launcher/vm/facts.h"

namespace vml {

// HostFacts::roms must be known already: they tell which iPXE will read the script.
void look_at_netboot(const Settings& settings, HostFacts& facts);

}  // namespace vml
