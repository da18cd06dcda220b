// The step "plan": a VmSpec → its plan. Pure.
#pragma once

#include "launcher/plan/plan.h"
#include "launcher/vm/spec.h"

namespace vml {

[[nodiscard]] Plan make_plan(const VmSpec& spec);

}  // namespace vml
