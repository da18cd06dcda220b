// What whoever reads a run's log is told at its end: how far the boot came, where its seconds went, what the
// guest said last. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "bootwatch/record.h"
#include "bootwatch/report.h"
#include "bootwatch/spent.h"

namespace vml {

struct RunSummary {
    std::optional<boot::Stage> reached{};          // the furthest of the boot; none: the machine never ran
    double reached_after = 0;                      // seconds since that boot began
    std::size_t boot = 1;                          // which of the run's boots it is
    std::uint64_t fetched_bytes = 0;               // by that boot
    std::vector<boot::Spent> spent{};              // the longest first
    std::vector<std::filesystem::path> reports{};  // that were written
    std::vector<std::string> console{};            // its last lines, the oldest first

    bool operator==(const RunSummary&) const = default;
};

// Of the last boot that came further than its machine, or else the last. `head` is the report's.
[[nodiscard]] RunSummary summarised(const boot::ReportHead& head, const std::vector<boot::Boot>& boots,
                                    std::vector<std::filesystem::path> reports);

// The same where the guest's own words are not wanted.
[[nodiscard]] RunSummary without_console(RunSummary summary);

// For programs: fields of the log's line of the end.
[[nodiscard]] nlohmann::ordered_json as_json(const RunSummary& summary);

enum class HowItEnded {
    well,     // as it was to: what was waited for is reached, and nothing was forced
    stopped,  // before that, by nobody's fault
    failed,
};

// For people: none to two lines. Of a machine that never got further the first names the reports alone,
// unless the run failed.
[[nodiscard]] std::vector<std::string> lines_of(const RunSummary& summary, HowItEnded end);

// What the console said last, below `fault`: as many lines as leave room for all of it in `most_lines`.
[[nodiscard]] std::string console_below(const RunSummary& summary, const Fault& fault);

// Of the console, and of fault, console and summary together.
inline constexpr std::size_t most_console_lines = 5;
inline constexpr std::size_t most_lines = 10;

}  // namespace vml
