// A configuration file's text → settings: JSON, or TOML where its name ends with .toml. Pure.
#pragma once

#include <string_view>

#include "launcher/settings/layer.h"

namespace vml {

// `file` is its name and who named it: "--config".
[[nodiscard]] Layer config_layer(std::string_view text, const Raw& file);

}  // namespace vml
