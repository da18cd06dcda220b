// What the boot's watch and the report have to know of a machine before it boots. Pure.
#pragma once

#include "bootwatch/report.h"
#include "launcher/plan/plan.h"
#include "launcher/settings/settings.h"
#include "launcher/vm/spec.h"
#include "launcher/watch/boot_watch.h"

namespace vml {

struct RunInputs {
    BootWatchConfig watch;
    boot::ReportHead head;
};

[[nodiscard]] RunInputs run_inputs(const Settings& settings, const VmSpec& spec, const Plan& plan);

}  // namespace vml
