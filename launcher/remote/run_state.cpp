#include "launcher/remote/run_state.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace vml {

namespace {

constexpr std::string_view resume = "`vm-launch resume` lets it go on";
constexpr std::string_view reset = "`vm-launch reset` starts it anew";

struct Row {
    std::string_view state;
    std::string_view why;
    std::string_view remedy;
    bool past_help;
};
constexpr std::array<Row, 9> rows{{
    {"internal-error", "QEMU stopped the guest with an internal error", reset, true},
    {"io-error", "the guest is paused: a disk cannot be read or written",
     "make room on the host, or mend the disk; `vm-launch resume` lets it go on", false},
    {"guest-panicked", "the guest panicked", reset, true},
    {"shutdown", "the guest is down", reset, true},
    {"watchdog", "the guest's watchdog fired, and the guest is paused", reset, false},
    {"paused", "the guest is paused", resume, false},
    {"prelaunch", "the guest has not been started since its reset", resume, false},
    {"suspended", "the guest sleeps (suspended to memory)", "", false},
    {"debug", "the guest is paused by a debugger", resume, false},
}};

const Row* row_of(std::string_view state) {
    const auto* const found =
        std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.state == state; });
    return found == rows.end() ? nullptr : &*found;
}

}  // namespace

std::optional<std::string> why_not_running(std::string_view run_state) {
    if (run_state == "running") {
        return std::nullopt;
    }
    const Row* row = row_of(run_state);
    return row == nullptr ? fmt::format("QEMU says that the guest's state is {}", run_state)
                          : std::string{row->why};
}

std::string remedy_for(std::string_view run_state) {
    const Row* row = row_of(run_state);
    return row == nullptr ? "" : std::string{row->remedy};
}

bool is_past_help(std::string_view run_state) {
    const Row* row = row_of(run_state);
    return row != nullptr && row->past_help;
}

}  // namespace vml
