// The environment's variables → settings. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/settings/layer.h"

namespace vml {

using Environment = std::map<std::string, std::string, std::less<>>;

// "" where it is not set.
[[nodiscard]] std::string value_of(const Environment& environment, std::string_view name);

// A variable's text and name; none where it is not set, or empty but for blanks and quotes (Docker's
// --env-file keeps those of NAME=""), or describes a service of a cluster.
[[nodiscard]] std::optional<Raw> variable(const Environment& environment, std::string_view name);

[[nodiscard]] Layer environment_layer(const Environment& environment);

// A warning for each variable that looks like a setting and is none, or is passed over.
[[nodiscard]] std::vector<std::string> strange_variables(const Environment& environment);

}  // namespace vml
