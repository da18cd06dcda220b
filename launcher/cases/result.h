// What became of a cell: the evidence, and the result that is told of it. Plain data. Pure.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/choice.h"
#include "base/error.h"

namespace vml::cases {

enum class Outcome {
    passed,
    failed,
    skipped,  // there can be no such machine
    not_run,  // the test was stopped before
};

}  // namespace vml::cases

namespace vml {
template <>
inline constexpr auto choices<cases::Outcome> =
    std::to_array<Choice<cases::Outcome>>({{"passed", cases::Outcome::passed},
                                           {"failed", cases::Outcome::failed},
                                           {"skipped", cases::Outcome::skipped},
                                           {"not run", cases::Outcome::not_run}});
}  // namespace vml

namespace vml::cases {

// Of one vm-launch that ran to its end.
struct Evidence {
    int exit_code = 0;          // 128 + n of one that a signal ended
    bool overdue = false;       // it did not end by itself in time, and was stopped
    nlohmann::json report{};    // docs/report-format.md; null: it wrote none
    bool console_seen = false;  // the console said anything at all
    bool console_matched = false;
    std::string console{};  // its last lines
    std::string log{};      // vm-launch's own last lines
    double took = 0;        // seconds, with the start and the end of vm-launch
};

struct Result {
    std::string name;  // the cell's
    std::string vm;
    Outcome outcome = Outcome::not_run;
    std::vector<std::string> reasons{};  // why it failed, each expectation; or why it was skipped
    std::optional<int> exit_code{};      // none: nothing was started
    double seconds = 0;                  // that vm-launch took
    std::string stage{};                 // the furthest one that was reached; empty: none
    std::string verdict{};               // the report's, or its summary, in one line
    std::string stem{};                  // of its files in the report's folder; empty: there are none
    std::string console{};
    std::string log{};

    bool operator==(const Result&) const = default;
};

struct Tally {
    std::size_t passed = 0;
    std::size_t failed = 0;
    std::size_t skipped = 0;
    std::size_t not_run = 0;
};
[[nodiscard]] Tally tally_of(const std::vector<Result>& results);

// ok where something passed and nothing failed; ExitCode::tests_failed; ExitCode::settings where nothing
// could be tried.
[[nodiscard]] ExitCode exit_code_of(const std::vector<Result>& results);

}  // namespace vml::cases
