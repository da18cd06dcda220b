// The part of the step "plan" that is about disks and the CD-ROM. Pure.
#pragma once

#include "launcher/plan/plan_writer.h"
#include "launcher/vm/spec.h"

namespace vml {

void plan_disks(const VmSpec& spec, PlanWriter& writer);

}  // namespace vml
