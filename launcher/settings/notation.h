// Hints in the user's own notation: who sets variables is told of variables. Pure.
#pragma once

#include <string>
#include <string_view>

#include "launcher/settings/layer.h"

namespace vml {

// "add --netboot-dir DIR" → "add NETBOOT_DIR=DIR"; "--no-ipxe" → "IPXE_ENABLE=0". Options of other programs,
// and commands between backticks, stay as they are.
[[nodiscard]] std::string with_variables(std::string_view text);

// All that is given comes by variables, and none by a flag or a file. `by_strange_ones`: among these are some
// that are no settings.
[[nodiscard]] bool speaks_in_variables(const Layer& layer, bool by_strange_ones);

}  // namespace vml
