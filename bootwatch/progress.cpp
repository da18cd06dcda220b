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

// How fast a file may come, whatever has been seen of it.
struct Pace {
    double known_after;   // seconds after which its speed so far says something
    double unknown;       // until then; bytes a second
    double usual;         // what stood still may reach it: bytes a second
    double may_speed_up;  // times the speed so far
};

// To an emulated guest over QEMU's user-mode network: 36 MB/s by HTTP, and 10 by TFTP, where each block waits
// for the one before to be acknowledged (RFC 1350, 2).
constexpr Pace stream{.known_after = 0.2, .unknown = 300e6, .usual = 60e6, .may_speed_up = 3};
constexpr Pace block_by_block{.known_after = 0.05, .unknown = 60e6, .usual = 20e6, .may_speed_up = 2};

double fastest(const Fetch& fetch) {
    const Pace& pace = fetch.protocol == "tftp" ? block_by_block : stream;
    return fetch.latest - fetch.began < pace.known_after
               ? pace.unknown
               : std::max(pace.usual, speed_of(fetch) * pace.may_speed_up);
}

}  // namespace

double uneventful_s(const std::vector<Fetch>& fetches) {
    constexpr double worth_it = 0.005;
    constexpr double longest = 0.25;
    if (fetches.empty() || fetches.back().state != FetchState::receiving) {
        return 0;
    }
    const Fetch& fetch = fetches.back();
    if (fetch.expected.value_or(0) <= fetch.received) {
        return 0;
    }
    const double rest =
        static_cast<double>(*fetch.expected - fetch.received) / fastest(fetch) - rest_margin_s;
    return rest < worth_it ? 0 : std::min(rest, longest);
}

std::optional<std::string> Progress::next(double at, const std::vector<Fetch>& fetches) {
    if (fetches.empty() || fetches.back().state != FetchState::receiving ||
        at - fetches.back().began < first_s) {
        return std::nullopt;
    }
    const std::uint64_t bytes = fetches.back().received;
    if (fetch_ == fetches.size() && (at - told_at_ < every_s || told_bytes_ == bytes)) {
        return std::nullopt;  // of bytes that came again there is nothing to tell
    }
    fetch_ = fetches.size();
    told_bytes_ = bytes;
    told_at_ = at;
    return describe_progress(fetches.back());
}

std::optional<std::string> overdue_answer(double at, const std::vector<Fetch>& fetches) {
    if (fetches.empty() || !awaits_answer(fetches.back()) || at - fetches.back().latest < answer_due_s) {
        return std::nullopt;
    }
    const Fetch& fetch = fetches.back();
    return fmt::format("waiting for {}, which took the request for {} {:.0f} s ago and has not answered",
                       host_text(fetch.server, 0), fetch.url, at - fetch.latest);
}

}  // namespace vml::boot
