// Which of the faults no package, device or privilege of the host would mend: there is no such machine. Pure.
#pragma once

#include <vector>

#include "base/error.h"
#include "launcher/settings/settings.h"
#include "launcher/vm/facts.h"

namespace vml {

// Of what decide() found: settings that contradict each other, and a NIC for which this host has iPXE's ROM,
// and no image in it that this firmware runs, or that is the driver which its own client lacks. A lack of the
// files themselves is the host's, and not in here.
[[nodiscard]] std::vector<Fault> impossible_of(const std::vector<Fault>& faults, const Settings& settings,
                                               const Origins& origins, const HostFacts& facts);

// Of what decide() found: that there is nothing among what is served which the firmware's own client could
// boot, and no iPXE program on this host: nothing signed for Secure Boot, say; or that there is no
// undionly.kpxe, which is asked for.
[[nodiscard]] std::vector<Fault> unserved_of(const std::vector<Fault>& faults, const Settings& settings,
                                             const Origins& origins, const HostFacts& facts);

}  // namespace vml
