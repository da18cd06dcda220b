// A cell as it is to be run here, or why it is not. Plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "launcher/cases/cell.h"
#include "launcher/cases/result.h"
#include "launcher/cases/schedule.h"

namespace vml {

struct PreparedCell {
    cases::Cell cell;
    cases::Load load{};
    std::optional<cases::TimeLimit> limit{};  // none: it may run for ever
    std::optional<cases::Result> early{};     // of what is not even tried
};

struct TestPlan {
    std::vector<PreparedCell> cells;
    Environment environment{};  // of each vm-launch, beside the cell's own secrets
    std::size_t jobs = 1;
    std::uint64_t cpus = 1;
    std::function<std::uint64_t()> free_memory_mib{};  // asked whenever no VM runs
    std::filesystem::path folder{};                    // for the reports, which the judgement needs
    bool keeps = false;                                // pages and logs too
};

struct TestEnd {
    std::vector<cases::Result> results;  // in the order of the cells
    int signal = 0;                      // that stopped the test
};

}  // namespace vml
