// A case's `expect` → what is expected. Pure.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "launcher/cases/case.h"

namespace vml::cases {

// `place` is what messages call it: "expect in boot.toml, case 'bios'".
[[nodiscard]] Expectation read_expectation(const nlohmann::json& expect, const std::string& place,
                                           std::vector<Fault>& faults);

// An object's key that nobody knows, in words, with the one that was probably meant.
[[nodiscard]] Fault unknown_key_fault(const std::string& key, const std::string& place,
                                      const std::vector<std::string>& known);

}  // namespace vml::cases
