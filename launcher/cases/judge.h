// What a run did against what was expected of it. Only what was seen counts: what could not be seen fails an
// expectation about it, whatever it may have been. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "launcher/cases/case.h"
#include "launcher/cases/cell.h"
#include "launcher/cases/result.h"

namespace vml::cases {

// Each expectation that was not met, in words.
[[nodiscard]] std::vector<std::string> unmet(const Expectation& expect, const Evidence& evidence);

// Of the files: those that were not fetched so as they should have been.
[[nodiscard]] std::vector<std::string> unmet_files(const Expectation& expect, const nlohmann::json& report);

// Does a URL fit this one, in which "*" stands for any text?
[[nodiscard]] bool fits(std::string_view wanted, std::string_view url);

[[nodiscard]] Result result_of(const Cell& cell, const Evidence& evidence);

}  // namespace vml::cases
