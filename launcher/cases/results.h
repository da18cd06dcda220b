// Results as documents, for people and for programs. Whatever guest and network said in them is escaped.
// Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "launcher/cases/result.h"

namespace vml::cases {

// Who shows it need not decode it: no controls, no logins.
[[nodiscard]] std::string plain(std::string_view text);

// One line, and below it why it failed.
[[nodiscard]] std::string as_line(const Result& result, std::size_t name_width);
// "18 VMs: 12 passed, 2 failed, 4 skipped".
[[nodiscard]] std::string summary_line(const std::vector<Result>& results);

[[nodiscard]] nlohmann::ordered_json results_as_json(const std::vector<Result>& results);

// TAP 13 (testanything.org).
[[nodiscard]] std::string results_as_tap(const std::vector<Result>& results);

// JUnit's XML, as Jenkins and GitLab read it: what could not be tried is skipped, what went wrong a failure.
[[nodiscard]] std::string results_as_junit(const std::vector<Result>& results);

// A cell's picture for the page: the SVGs of its report's waterfalls.
struct Picture {
    std::string stem;                     // Result::stem
    std::vector<std::string> waterfalls;  // bootwatch's own (boot::waterfalls_in)
};
// One page that needs nothing else, with every cell's boot beside the others'.
[[nodiscard]] std::string results_as_page(const std::vector<Result>& results,
                                          const std::vector<Picture>& pictures);

}  // namespace vml::cases
