#include "launcher/run/run_summary.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/logins.h"
#include "base/text.h"
#include "bootwatch/report_page.h"
#include "bootwatch/timeline.h"

namespace vml {

namespace {

constexpr std::size_t most_spent = 4;

// A boot that was reset as soon as it began tells nothing.
std::vector<boot::Boot>::const_iterator boot_to_tell(const std::vector<boot::Boot>& boots) {
    const auto told = std::find_if(boots.rbegin(), boots.rend(), [](const boot::Boot& boot) {
        return boot.stage().value_or(boot::Stage::machine) != boot::Stage::machine;
    });
    return told == boots.rend() ? std::prev(boots.end()) : std::prev(told.base());
}

std::uint64_t bytes_of(const boot::Boot& boot) {
    std::uint64_t bytes = 0;
    for (const boot::Fetch& fetch : boot.fetches) {
        bytes += fetch.received;
    }
    return bytes;
}

std::vector<std::string> last_lines(const boot::Boot& boot) {
    std::vector<std::string> lines = boot.console.lines();
    const std::size_t count = std::min(lines.size(), most_console_lines);
    lines.erase(lines.begin(), std::prev(lines.end(), static_cast<std::ptrdiff_t>(count)));
    for (std::string& line : lines) {
        line = without_logins(line);
    }
    return lines;
}

std::string listed_paths(const std::vector<std::filesystem::path>& paths) {
    std::string text;
    for (const std::filesystem::path& path : paths) {
        text += (text.empty() ? "" : ", ") + path.string();
    }
    return text;
}

std::size_t lines_in(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
}

}  // namespace

RunSummary summarised(const boot::ReportHead& head, const std::vector<boot::Boot>& boots,
                      std::vector<std::filesystem::path> reports) {
    RunSummary summary;
    summary.reports = std::move(reports);
    if (boots.empty()) {
        return summary;
    }
    const auto boot = boot_to_tell(boots);
    summary.reached = boot->stage();
    if (!summary.reached) {
        return summary;
    }
    summary.reached_after = boot->time_of(*summary.reached).value_or(boot->began) - boot->began;
    for (auto earlier = boots.begin(); earlier != boot; ++earlier) {
        summary.boot += 1 + static_cast<std::size_t>(earlier->left_out.boots);
    }
    summary.fetched_bytes = bytes_of(*boot);
    summary.spent = boot::spent_by(*boot, boot->ended.value_or(head.lasted), head.own_url, most_spent);
    summary.console = last_lines(*boot);
    return summary;
}

RunSummary without_console(RunSummary summary) {
    summary.console.clear();
    return summary;
}

nlohmann::ordered_json as_json(const RunSummary& summary) {
    nlohmann::ordered_json spent = nlohmann::ordered_json::array();
    for (const boot::Spent& one : summary.spent) {
        spent.push_back({{"what", one.what}, {"seconds", boot::rounded(one.seconds)}});
    }
    std::vector<std::string> reports;
    std::transform(summary.reports.begin(), summary.reports.end(), std::back_inserter(reports),
                   [](const std::filesystem::path& path) { return path.string(); });
    return {{"reached", summary.reached ? nlohmann::ordered_json(boot::name_of(*summary.reached))
                                        : nlohmann::ordered_json(nullptr)},
            {"reached_after", boot::rounded(summary.reached_after)},
            {"boot", summary.boot},
            {"fetched_bytes", summary.fetched_bytes},
            {"spent", std::move(spent)},
            {"reports", std::move(reports)},
            {"console", summary.console}};
}

std::vector<std::string> lines_of(const RunSummary& summary, HowItEnded end) {
    std::vector<std::string> lines;
    std::string first;
    const bool says_something = summary.reached != boot::Stage::machine || end == HowItEnded::failed;
    if (summary.reached && says_something) {
        first = fmt::format("{}reached {} in {}{}", end == HowItEnded::well ? "✓ " : "",
                            boot::name_of(*summary.reached), boot::duration_text(summary.reached_after),
                            summary.boot > 1 ? fmt::format(" (boot {})", summary.boot) : "");
        first += summary.fetched_bytes > 0
                     ? fmt::format("; {} fetched", boot::size_text(summary.fetched_bytes))
                     : "";
    }
    if (!summary.reports.empty()) {
        first += fmt::format("{}report: {}", first.empty() ? "" : "; ", listed_paths(summary.reports));
    }
    if (!first.empty()) {
        lines.push_back(std::move(first));
    }
    std::string second;
    for (const boot::Spent& one : summary.spent) {
        second += fmt::format("{}{} {}", second.empty() ? "" : "; ", printable(one.what),
                              boot::duration_text(one.seconds));
    }
    if (!second.empty()) {
        lines.push_back("where the time went: " + second);
    }
    return lines;
}

std::string console_below(const RunSummary& summary, const Fault& fault) {
    constexpr std::string_view label = "  console: ";
    const std::size_t taken = lines_in(to_text(fault)) + lines_of(summary, HowItEnded::failed).size();
    const std::size_t count = std::min(summary.console.size(), most_lines - std::min(taken, most_lines));
    std::string text;
    for (std::size_t at = summary.console.size() - count; at < summary.console.size(); ++at) {
        text += text.empty() ? std::string{label} : "\n" + std::string(label.size(), ' ');
        text += printable(summary.console[at]);
    }
    return text;
}

}  // namespace vml
