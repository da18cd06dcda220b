// A configuration file in TOML (1.0) → the JSON that says the same: the one place that knows toml++. Pure.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include <nlohmann/json.hpp>

namespace vml {

// Why a text is no TOML: "line 3, column 7: …".
struct TomlFault {
    std::string why;
};

// A date or a time is an empty binary value, which JSON has no text for: no setting is one.
[[nodiscard]] std::variant<nlohmann::json, TomlFault> json_of_toml(std::string_view text);

}  // namespace vml
