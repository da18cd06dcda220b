#include "bootwatch/progress.h"

#include <algorithm>

#include <fmt/format.h>

#include "bootwatch/timeline.h"

namespace vml::boot {

namespace {

std::string describe_progress(const Fetch& fetch) {
    const double speed = speed_of(fetch);
    std::string text = fmt::format("{}: {}{}, {}/s", fetch.url, size_text(fetch.received),
                                   fetch.expected ? " of " + size_text(*fetch.expected) : "",
                                   size_text(static_cast<std::uint64_t>(speed)));
    if (fetch.expected && *fetch.expected > fetch.received && speed > 0) {
        text += fmt::format(", {:.0f} s left", static_cast<double>(*fetch.expected - fetch.received) / speed);
    }
    return text;
}

}  // namespace

double uneventful_s(const std::vector<Fetch>& fetches) {
    constexpr double known_after = 0.2;
    constexpr double unknown = 300e6;  // bytes a second
    constexpr double usual =
        60e6;  // a user-mode network's to an emulated guest: what stood still may reach it
    constexpr double may_speed_up = 3;
    constexpr double worth_it = 0.005;
    constexpr double longest = 0.25;
    constexpr double margin = 0.1;  // we may be late ourselves
    if (fetches.empty() || fetches.back().state != FetchState::receiving) {
        return 0;
    }
    const Fetch& fetch = fetches.back();
    if (fetch.expected.value_or(0) <= fetch.received) {
        return 0;
    }
    const double fastest =
        fetch.latest - fetch.began < known_after ? unknown : std::max(usual, speed_of(fetch) * may_speed_up);
    const double rest = static_cast<double>(*fetch.expected - fetch.received) / fastest - margin;
    return rest < worth_it ? 0 : std::min(rest, longest);
}

std::optional<std::string> Progress::next(double at, const std::vector<Fetch>& fetches) {
    if (fetches.empty() || fetches.back().state != FetchState::receiving ||
        at - fetches.back().began < first_s) {
        return std::nullopt;
    }
    if (fetch_ == fetches.size() && at - told_at_ < every_s) {
        return std::nullopt;
    }
    fetch_ = fetches.size();
    told_at_ = at;
    return describe_progress(fetches.back());
}

}  // namespace vml::boot
