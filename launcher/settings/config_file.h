// A configuration file's text → settings: JSON, or TOML where its name ends with .toml. Pure.
#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "launcher/settings/layer.h"

namespace vml {

// `file` is its name and who named it: "--config".
[[nodiscard]] Layer config_layer(std::string_view text, const Raw& file);

// The settings of an object within another document; `place` is what messages call it: "boot.toml, case pxe".
[[nodiscard]] Layer object_layer(const nlohmann::json& object, std::string_view place);

// The document itself; a message says why there is none. A key that is there twice in an object of JSON is a
// fault.
[[nodiscard]] nlohmann::json config_document(std::string_view text, const Raw& file, Layer& faults);

}  // namespace vml
