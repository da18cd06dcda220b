// The part of the step "plan" that is about the machine itself, and what leads from it to vm-launch. Pure.
#pragma once

#include "launcher/plan/plan_writer.h"
#include "launcher/vm/spec.h"

namespace vml {

void plan_machine(const VmSpec& spec, PlanWriter& writer);
void plan_entropy(const VmSpec& spec, PlanWriter& writer);
void plan_control(PlanWriter& writer);
void plan_balloon(const VmSpec& spec, PlanWriter& writer);
// Before what sits on it.
void plan_usb(const VmSpec& spec, PlanWriter& writer);
void plan_console(const VmSpec& spec, PlanWriter& writer);
void plan_guest_agent(const VmSpec& spec, PlanWriter& writer);
void plan_screen(const VmSpec& spec, PlanWriter& writer);

}  // namespace vml
