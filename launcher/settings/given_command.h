// How vm-launch was called, as a shell line that calls it so again: for the report. Pure.
#pragma once

#include <string>
#include <vector>

#include "launcher/settings/environment.h"
#include "launcher/settings/layer.h"

namespace vml {

// The variables that count (`layer` has them, beside what flags and a file say), the program's name and its
// arguments, without secrets: no value of a secret setting (OptionRow::is_secret), no user data of
// cloud-init, no login that iPXE gets by DHCP, and nothing that secrets.h knows. A word is cut after 1,024
// bytes, and of too many words those stay that fit into 16 KiB: an ellipsis says so.
[[nodiscard]] std::string given_command(const std::vector<std::string>& arguments,
                                        const Environment& environment, const Layer& layer);

}  // namespace vml
