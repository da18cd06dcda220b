// The part of the step "plan" that is about UEFI's code and variables. Pure.
#pragma once

#include "launcher/plan/plan_writer.h"
#include "launcher/vm/spec.h"

namespace vml {

// The firmware is one that protects its variables by System Management Mode.
[[nodiscard]] bool needs_smm(const VmSpec& spec);

void plan_firmware(const VmSpec& spec, PlanWriter& writer);

}  // namespace vml
