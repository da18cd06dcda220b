// The step "look": what the host has of what these settings need. Reads only; the one place that does.
#pragma once

#include "launcher/settings/settings.h"
#include "launcher/settings/settings_reader.h"
#include "launcher/vm/facts.h"

namespace vml {

// What changes from moment to moment is left out of a plan, which does not depend on it and may be of a VM
// that runs: who has which port, which VMs run, whom a bridge has heard.
enum class Moment { counts, does_not };

// `environment` gives PATH and XDG_CONFIG_HOME; `own` is the user that the VM has for itself, if it has one
// already.
[[nodiscard]] HostFacts look(const Settings& settings, const Environment& environment,
                             Moment moment = Moment::counts, const std::optional<RunUser>& own = {});

}  // namespace vml
