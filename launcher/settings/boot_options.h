// What boots: the settings and their values' texts. Pure.
#pragma once

#include <vector>

#include "launcher/settings/option_row.h"

namespace vml {

[[nodiscard]] std::vector<OptionRow> boot_options();

}  // namespace vml
