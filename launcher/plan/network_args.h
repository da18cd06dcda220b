// The part of the step "plan" that is about NICs: their networks, ROMs, and what makes their boot faster.
// Pure.
#pragma once

#include "launcher/plan/plan_writer.h"
#include "launcher/vm/spec.h"

namespace vml {

void plan_nics(const VmSpec& spec, PlanWriter& writer);

}  // namespace vml
