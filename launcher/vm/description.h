// What a VM is, for `vm-launch status`: machine, accelerator, NICs, disks. Pure.
#pragma once

#include <nlohmann/json.hpp>

#include "launcher/vm/spec.h"

namespace vml {

// docs/control.md, "status". Keys are only ever added.
[[nodiscard]] nlohmann::json description_of(const VmSpec& spec);

}  // namespace vml
