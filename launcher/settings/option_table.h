// The one table of settings. The command line's parser, the environment, the configuration file, --help, the
// man page and docs/SETTINGS.md all come from it.
#pragma once

#include <string_view>
#include <vector>

#include "launcher/settings/option_row.h"

namespace vml {

[[nodiscard]] const std::vector<OptionRow>& option_table();
[[nodiscard]] const OptionRow* find_option(std::string_view flag);
[[nodiscard]] std::string_view title_of(OptionGroup group);

}  // namespace vml
