#include "capture/live.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace vml::capture {

namespace {

// What is over, or has come to nothing for so long, is not answered any more.
constexpr double long_after_s = 1000;

News news_of(News::Kind kind, const Mac& mac, std::uint64_t boot, double when, double began) {
    News news;
    news.kind = kind;
    news.mac = mac;
    news.boot = boot;
    news.when = when;
    news.at = std::max(when - began, 0.0);
    return news;
}

bool is_same(const std::optional<Fault>& told, const Fault& verdict) {
    return told && told->code == verdict.code && told->what == verdict.what;
}

// Where it has none of its own, what others send to it tells whether it is there.
double latest_sign(const CapturedBoot& times) {
    return times.heard > 0 ? times.heard : times.latest;
}

boot::Address address_of(const boot::Boot& record) {
    const auto talk = std::find_if(record.dhcp.rbegin(), record.dhcp.rend(),
                                   [](const boot::DhcpTalk& each) { return each.ack.has_value(); });
    return talk == record.dhcp.rend() ? boot::Address{} : talk->ack->message.yours;
}

}  // namespace

Live::Live(std::optional<Mac> only, KeptBoots boots)
    : machines_{only,
                {.machines = most_machines, .silent_give_way = true, .weight = most_weight, .boots = boots}} {
}

void Live::frame(double at, Bytes captured) {
    machines_.frame(at, LinkLayer::ethernet, captured, {});
    unpassed_ = unpassed_.value_or(machines_.counts().ended);
    take_happenings();
}

void Live::frames_lost() {
    for (Place& place : machines_.places().all()) {
        place.machine.frames_lost();
    }
}

void Live::take_happenings() {
    for (Happening& happening : machines_.take_happenings()) {
        happened(std::move(happening));
    }
}

void Live::happened(Happening happening) {
    State& state = states_[happening.mac];
    if (happening.gave_way) {
        const CapturedBoot& last = *happening.step.over;
        news_.push_back(news_of(News::Kind::gives_way, happening.mac, state.boot, happening.at, last.began));
        states_.erase(happening.mac);
        return;
    }
    if (happening.step.begins) {
        begins(happening, state);
    }
    if (!happening.step.marks.empty()) {
        shows(happening, state);
    }
}

void Live::begins(Happening& happening, State& state) {
    if (happening.step.over) {
        settle(happening.mac, state, happening.at, *std::move(happening.step.over), true);
        state = {.boot = state.boot + 1};
    }
    state.progress = happening.at;
    state.due = happening.at + silence_s;
    news_.push_back(news_of(News::Kind::boot, happening.mac, state.boot, happening.at, happening.at));
}

void Live::shows(const Happening& happening, State& state) {
    Place* const place = machines_.places().of(happening.mac);
    const auto& marks = happening.step.marks;
    const bool further =
        std::any_of(marks.begin(), marks.end(), [](const boot::Mark& mark) { return mark.proves; });
    const double began = place == nullptr ? happening.at : place->machine.glance().times.began;
    if (further && state.settled && state.told && state.told->code != ExitCode::ok) {
        news_.push_back(news_of(News::Kind::goes_on, happening.mac, state.boot, happening.at, began));
        state.told.reset();
    }
    for (const boot::Mark& mark : marks) {
        News& news =
            news_.emplace_back(news_of(News::Kind::mark, happening.mac, state.boot, began + mark.at, began));
        news.mark = mark;
    }
    state.due = further || state.settled ? happening.at + silence_s : state.due;
    state.settled = false;
    state.progress = further ? happening.at : state.progress;
    const bool system = std::any_of(marks.begin(), marks.end(),
                                    [](const boot::Mark& mark) { return mark.stage == boot::Stage::kernel; });
    if (system && place != nullptr) {
        CapturedBoot boot = place->machine.running_boot();
        judge(boot, happening.at + long_after_s);
        if (boot.verdict.code == ExitCode::ok) {
            settle(happening.mac, state, happening.at, std::move(boot), false);
        }
    }
}

void Live::settle(const Mac& mac, State& state, double now, CapturedBoot boot, bool over) {
    judge(boot, now + long_after_s);
    state.settled = true;
    if (is_same(state.told, boot.verdict)) {
        return;
    }
    News& news = news_.emplace_back(news_of(News::Kind::verdict, mac, state.boot, now, boot.began));
    news.verdict = boot.verdict;
    news.over = over;
    state.told = std::move(boot.verdict);
}

void Live::look(Place& place, State& state, double now) {
    const Glance boot = place.machine.glance();
    const std::uint64_t received =
        boot.fetches.empty() || boot.fetches.back().state == boot::FetchState::failed
            ? 0
            : boot.fetches.back().received;
    if (received > 0 && (boot.fetches.size() != state.fetches || received != state.received)) {
        state.progress = std::max(state.progress, boot.times.began + boot.fetches.back().latest);
        state.fetches = boot.fetches.size();
        state.received = received;
    }
    const double silent_from = latest_sign(boot.times) + silence_s;
    const double stuck_from = state.progress + no_progress_s;
    state.due = std::min(silent_from, stuck_from);
    if (now >= state.due) {
        settle(place.machine.mac(), state, now, place.machine.running_boot(), false);
    }
}

void Live::pass(double now) {
    now += machines_.counts().clock_back;
    unpassed_.reset();
    for (Place& place : machines_.places().all()) {
        if (std::vector<boot::Mark> marks = place.machine.passes(now); !marks.empty()) {
            happened({place.machine.mac(), now, {.marks = std::move(marks)}});
        }
        if (State& state = states_[place.machine.mac()]; !state.settled && now >= state.due) {
            look(place, state, now);
        }
    }
}

std::optional<double> Live::due() const {
    constexpr double soon_s = 3;  // a search is over by then (boot::Timeline::passes)
    constexpr double never = std::numeric_limits<double>::infinity();
    double first = unpassed_.value_or(never) + soon_s;
    for (const auto& [mac, state] : states_) {
        first = state.settled ? first : std::min(first, state.due);
    }
    return first < never ? std::optional{first - machines_.counts().clock_back} : std::nullopt;
}

std::vector<MachineNow> Live::machines() {
    std::vector<MachineNow> all;
    for (Place& place : machines_.places().all()) {
        const Glance boot = place.machine.glance();
        const State& state = states_[place.machine.mac()];
        MachineNow now{.mac = place.machine.mac(),
                       .arch = place.machine.arch(),
                       .vlans = {place.vlans.begin(), place.vlans.end()},
                       .address = address_of(boot.record),
                       .boot = boot.number,
                       .began = boot.times.began,
                       .latest = boot.times.latest,
                       .stage = boot.record.stage(),
                       .verdict = state.settled ? state.told : std::nullopt};
        if (!boot.fetches.empty()) {
            const boot::Fetch& fetch = boot.fetches.back();
            now.url = fetch.url;
            now.received = fetch.received;
            now.expected = fetch.expected;
            now.fetching = !fetch.ended;
        }
        all.push_back(std::move(now));
    }
    return all;
}

}  // namespace vml::capture
