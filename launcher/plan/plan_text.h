// A plan for people and programs. Pure.
#pragma once

#include <string>

#include "launcher/plan/plan.h"

namespace vml {

// One option a line with its reason beside it, then the boot order, then what should be known.
[[nodiscard]] std::string plan_as_text(const Plan& plan);
// The format that docs/plan-format.md describes, indented, with a newline at the end.
[[nodiscard]] std::string plan_as_json(const Plan& plan);
// A shell command line that can be pasted and runs: descriptors that only vm-launch opens have stand-ins.
[[nodiscard]] std::string plan_as_shell(const Plan& plan);

}  // namespace vml
