// `vm-launch doctor`: what these settings need of the host, and whether it is there. Pure.
#pragma once

#include <string>

#include "launcher/host/host.h"
#include "launcher/vm/spec.h"

namespace vml {

// One line for each thing that is there, each warning and each fault with its fix, and a closing line.
[[nodiscard]] std::string doctor_report(const HostFacts& facts, const Decision& decision);

}  // namespace vml
