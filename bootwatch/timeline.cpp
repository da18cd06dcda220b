#include "bootwatch/timeline.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "bootwatch/weight.h"

namespace vml::boot {

namespace {

std::size_t most_of(Stage stage) {
    return stage == Stage::fetch ? most_fetch_marks : most_marks;
}

std::string failure_text(const Fetch& fetch) {
    switch (fetch.fault) {
        case FetchFault::refused:
            return "nobody listens there";
        case FetchFault::truncated:
            return fmt::format("the server broke off after {}{}", size_text(fetch.received),
                               fetch.expected ? " of " + size_text(*fetch.expected) : "");
        case FetchFault::given_up:
            return is_given_up_unanswered(fetch)
                       ? fmt::format("given up after {:.0f} s without an answer", *fetch.ended - fetch.latest)
                       : fmt::format("given up after {}", size_text(fetch.received));
        case FetchFault::tls_alert:
            return fmt::format("TLS failed: {}", fetch.words);
        default:
            return fetch.words.empty() ? std::string{name_of(fetch.fault)} : fetch.words;
    }
}

// Healthy: an error that GRUB went past, as it is of a module or a video mode; then the kernel came last.
bool loader_is_stuck(const Boot& boot, const std::vector<Fetch>& fetches) {
    const auto asked = latest_of(fetches, [](const Fetch& fetch) { return !is_probe(fetch); });
    return !boot.loader_error.empty() && asked && fetches[*asked].state != FetchState::done &&
           fetches[*asked].state != FetchState::receiving;
}

}  // namespace

std::string counted(std::uint64_t count, std::string_view one) {
    return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::string size_text(std::uint64_t bytes) {
    constexpr double kilo = 1000;
    const auto number = static_cast<double>(bytes);
    if (number < 10 * kilo) {
        return fmt::format("{} bytes", bytes);
    }
    return number < kilo * kilo ? fmt::format("{:.0f} kB", number / kilo)
                                : fmt::format("{:.1f} MB", number / kilo / kilo);
}

namespace {

// `took`: "" or " in 0.02 s".
std::string result_of(const Fetch& fetch, double took, std::string_view took_text) {
    if (fetch.state == FetchState::failed) {
        return failure_text(fetch);
    }
    if (!fetch.location.empty()) {
        return fmt::format("redirected to {}", fetch.location);
    }
    if (fetch.by_console) {
        return "fetched";
    }
    constexpr double worth_a_speed = 0.1;
    const std::string speed =
        took >= worth_a_speed ? fmt::format(", {}/s", size_text(static_cast<std::uint64_t>(speed_of(fetch))))
                              : "";
    const std::string kind =
        fetch.content == Content::unknown ? "" : fmt::format(" ({})", boot::describe(fetch.content));
    return fmt::format("{}{}{}{}", size_text(fetch.received), took_text, speed, kind);
}

double time_of(const Fetch& fetch) {
    return fetch.ended.value_or(fetch.latest) - fetch.began;
}

}  // namespace

std::string describe(const Fetch& fetch) {
    const double took = time_of(fetch);
    return fmt::format("{}: {}", fetch.url, result_of(fetch, took, fmt::format(" in {:.2f} s", took)));
}

std::string describe_result(const Fetch& fetch) {
    return result_of(fetch, time_of(fetch), "");
}

std::vector<Mark> Timeline::news() {
    return std::exchange(news_, {});
}

void Timeline::mark(Stage stage, double at, Proof proof, const std::string& detail, bool proves) {
    tell_search(nullptr);
    const bool new_stage = proves && !current().reached(stage);
    current().marks.push_back({stage, at, proof, cut_to(detail, longest_detail), proves});
    tell(current().marks.back(), new_stage);
    keep_marks(current(), stage, most_of(stage));
}

void Timeline::tell(const Mark& mark, bool new_stage) {
    if (told_.takes(mark, new_stage)) {
        news_.push_back(mark);
    }
}

// An operating system is no more without its kernel.
void Timeline::system_runs(double at, Proof proof, const std::string& detail) {
    mark_once(Stage::kernel, at, proof, detail);
    mark_once(Stage::os, at, proof, detail);
}

void Timeline::mark_once(Stage stage, double at, Proof proof, const std::string& detail) {
    if (!current().reached(stage)) {
        mark(stage, at, proof, detail);
    }
}

void Timeline::ended(Outcome outcome, double at, std::string_view words) {
    tell_search(nullptr);
    current().outcome = outcome;
    current().outcome_at = at;
    current().outcome_text = cut_to(words, longest_detail);
}

bool Timeline::silence_would_end_it() const {
    const auto may_run = [](const Fetch& fetch) {
        return fetch.state == FetchState::done && !is_probe(fetch) && fetch.ranges == 0 &&
               (fetch.content == Content::unknown || fetch.content == Content::html ||
                fetch.content == Content::text);
    };
    const auto passed_over = [](const Fetch& fetch) {
        return is_probe(fetch) || fetch.by_console || fetch.content == Content::ipxe_script ||
               fetch.content == Content::archive || fetch.content == Content::picture ||
               fetch.state == FetchState::failed;
    };
    const auto& fetches = fetches_.all();
    const auto odd = std::find_if_not(fetches.begin(), fetches.end(), passed_over);
    const bool alone = odd != fetches.end() && may_run(*odd) &&
                       std::all_of(std::next(odd), fetches.end(), [](const Fetch& later) {
                           return is_probe(later) || later.content == Content::archive;
                       });
    const bool waits = !fetches.empty() && awaits_answer(fetches.back());
    return (alone || waits || loader_is_stuck(boots_.back(), fetches)) &&
           !boots_.back().reached_or_passed(Stage::kernel) && boots_.back().outcome == Outcome::none;
}

const std::vector<Boot>& Timeline::boots() {
    current().fetches = fetches_.all();
    current().lookups = fetches_.lookups();
    current().left_out.fetches = fetches_.left_out().fetches;
    current().left_out.lookups = fetches_.left_out().lookups;
    return boots_;
}

std::vector<Mark> Timeline::started(double at) {
    current().began = at;
    mark(Stage::machine, at, Proof::qemu, "QEMU built the machine and runs it");
    return news();
}

std::vector<Mark> Timeline::event(double at, std::string_view name) {
    if (name == "NIC_RX_FILTER_CHANGED") {  // no firmware and no iPXE sets it
        system_runs(at, Proof::qemu, "the guest's own NIC driver is up");
    } else if (name == "RTC_CHANGE") {  // OVMF's early start; SeaBIOS leaves the clock alone
        mark_once(Stage::firmware, at, Proof::qemu, "UEFI set the clock");
    }
    return news();
}

std::vector<Mark> Timeline::agent_answered(double at) {
    system_runs(at, Proof::agent, "a program of it, its guest agent, answered");
    mark_once(Stage::agent, at, Proof::agent, "it answers");
    return news();
}

void Timeline::silence(double at, double last_sign) {
    ended(Outcome::silent, at, fmt::format("{:.0f} s", at - last_sign));
    current().last_sign_at = last_sign;
}

std::vector<Mark> Timeline::reset(double at) {
    if (!current().reached_or_passed(Stage::firmware)) {
        return {};
    }
    tell_search(nullptr);
    boots_.at(boots().size() - 1).ended = at;
    if (boots_.size() >= most_boots) {
        boots_.erase(std::next(boots_.begin()));
        ++boots_.front().left_out.boots;
    }
    const unsigned fruitless = is_fruitless(current()) ? current().fruitless_before + 1 : 0;
    lighten(boots_, most_reported);
    boots_.push_back({.began = at, .fruitless_before = fruitless});
    fetches_ = {};
    told_ = {};
    cut_line_.clear();
    mark(Stage::machine, at, Proof::qemu, "the guest rebooted");
    return news();
}

}  // namespace vml::boot
