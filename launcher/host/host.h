// The step "look": what the host has of what these settings need. Reads only; the one place that does.
#pragma once

#include "launcher/settings/settings.h"
#include "launcher/settings/settings_reader.h"
#include "launcher/vm/facts.h"

namespace vml {

// `environment` gives PATH and XDG_CONFIG_HOME.
[[nodiscard]] HostFacts look(const Settings& settings, const Environment& environment);

}  // namespace vml
