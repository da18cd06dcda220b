// By which way a boot came from the network, by its report, against that which was asked for. A boot that
// came to the same system by another way has not passed. Pure.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "launcher/cases/case.h"

namespace vml::cases {

// What went another way, or was named by another, in words. What a boot did not come to is not judged: one
// that ended at its address has fetched nothing.
[[nodiscard]] std::vector<std::string> unmet_way(const Expectation& expect, const nlohmann::json& report);

}  // namespace vml::cases
