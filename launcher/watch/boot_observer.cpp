#include "launcher/watch/boot_observer.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "bootwatch/hints.h"

namespace vml {

namespace {

bool awaits(const std::vector<boot::Fetch>& fetches) {
    return !fetches.empty() && boot::awaits_answer(fetches.back());
}

// Before the network by the boot order, and the network was not tried.
bool is_others_turn(const ObserverConfig& config, const std::vector<boot::Boot>& boots) {
    const bool later = std::any_of(boots.begin(), std::prev(boots.end()), [](const boot::Boot& earlier) {
        return earlier.reached(boot::Stage::os);
    });
    const boot::Boot& now = boots.back();
    const bool tried = now.ipxe || now.firmware_client || !now.dhcp.empty();
    return !tried && (later ? config.other_first_later : config.other_first);
}

}  // namespace

BootObserver::BootObserver(ObserverConfig config) : config_{std::move(config)}, timeline_{config_.nics} {
    if (config_.until && !config_.until->stage) {
        auto compiled = Pattern::compile(config_.until->pattern);
        if (auto* pattern = std::get_if<Pattern>(&compiled)) {
            pattern_ = std::move(*pattern);
        }
    }
}

Observed BootObserver::packet(double at, std::size_t nic, const boot::Packet& packet) {
    if (packet.sent_by(config_.nics.at(nic).mac)) {
        sign_at_ = at;
    }
    const bool waited = awaits(timeline_.fetches());
    Observed observed = judged(timeline_.packet(at, nic, packet));
    if (!waited && awaits(timeline_.fetches()) && timeline_.silence_would_end_it()) {
        observed.wait_for_silence = true;
    }
    if (const auto& twins = timeline_.current_boot().twins;
        !twins.empty() && !std::exchange(twin_told_, true)) {
        observed.warning = fmt::format("{}: {}", boot::describe(twins.front()), boot::twin_remedy);
    }
    observed.progress = progress_.next(at, timeline_.fetches());
    return observed;
}

Observed BootObserver::line(double at, const std::string& line) {
    sign_at_ = at;
    const bool waited = timeline_.silence_would_end_it();
    Observed observed = judged(timeline_.line(at, line));
    observed.wait_for_silence = observed.wait_for_silence || (!waited && timeline_.silence_would_end_it());
    return with_text(std::move(observed), line);
}

// Is it the text that the run waits for?
Observed BootObserver::with_text(Observed observed, const std::string& line) {
    if (pattern_ && !until_told_ && pattern_->is_in(line)) {
        until_told_ = true;
        observed.end = BootEnd::until_reached;
    }
    return observed;
}

Observed BootObserver::partial(double at, const std::string& line) {
    sign_at_ = at;
    return with_text(judged(timeline_.partial(at, line)), line);
}

Observed BootObserver::reset(double at) {
    Observed observed;
    observed.marks = timeline_.reset(at);
    if (observed.marks.empty()) {
        return observed;
    }
    told_ = boot::Outcome::none;
    chain_told_ = false;
    const boot::Boot& boot = timeline_.current_boot();
    marks_seen_ = boot.marks_seen();
    if (config_.reboot_limit > 0 && boot.fruitless_before >= config_.reboot_limit) {
        observed.end = BootEnd::reboot_loop;
    }
    return observed;
}

Observed BootObserver::silence(double at, std::uint64_t disk_requests) {
    const bool disk = std::exchange(disk_requests_, disk_requests) != disk_requests;
    Observed observed;
    if (!timeline_.silence_would_end_it()) {
        return observed;
    }
    if (disk || at - sign_at_ < silence_s) {
        observed.wait_for_silence = true;
        observed.silence_in_s = disk ? silence_s : silence_s - (at - sign_at_);
        return observed;
    }
    timeline_.silence(at, sign_at_);
    return judged({});
}

std::vector<std::string> BootObserver::reached() const {
    std::vector<std::string> words;
    for (const std::string_view name : boot::stage_names()) {
        if (has_reached(*boot::stage_named(name))) {
            words.emplace_back(name);
        }
    }
    return words;
}

Observed BootObserver::judged(std::vector<boot::Mark> marks) {
    const std::uint64_t seen = timeline_.current_boot().marks_seen();
    const bool changed = std::exchange(marks_seen_, seen) != seen;  // not all of it is told
    Observed observed;
    observed.end = end_of(marks);
    if (!observed.end && changed && loads_itself()) {
        observed.end = BootEnd::chain_loop;
    }
    observed.wait_for_silence = changed && timeline_.silence_would_end_it();
    observed.silence_in_s = silence_s;
    observed.marks = std::move(marks);
    return observed;
}

std::optional<BootEnd> BootObserver::end_of(const std::vector<boot::Mark>& marks) {
    if (config_.until && config_.until->stage && !until_told_) {
        const bool reached = std::any_of(marks.begin(), marks.end(), [&](const boot::Mark& mark) {
            return mark.proves && mark.stage == *config_.until->stage;
        });
        if (reached) {
            until_told_ = true;
            return BootEnd::until_reached;
        }
    }
    return end_by_outcome();
}

// As often as fruitless boots are let pass.
bool BootObserver::loads_itself() {
    if (config_.reboot_limit == 0 || chain_told_ || !config_.boots_network) {
        return false;
    }
    chain_told_ = timeline_.current_boot().chain_rounds >= std::max(config_.reboot_limit, 3U);
    return chain_told_;
}

// Did a script or a boot program go on to the disk because it was to (`exit`; pxelinux's LOCALBOOT)? What it
// could not fetch before is its own affair: where that is the end of it, iPXE says "Could not boot".
bool BootObserver::meant_to_leave() {
    const boot::Boot& boot = timeline_.boot();
    const auto& said = boot.complaints;
    const bool gave_up = std::any_of(said.begin(), said.end(), [](const boot::IpxeComplaint& complaint) {
        return complaint.line.starts_with("Could not boot");
    });
    const bool program = std::any_of(boot.fetches.begin(), boot.fetches.end(), [](const boot::Fetch& fetch) {
        return fetch.state == boot::FetchState::done && boot::may_be_program(fetch);
    });
    return !gave_up && (boot.reached(boot::Stage::script) || program);
}

std::optional<BootEnd> BootObserver::end_by_outcome() {
    const boot::Outcome outcome = timeline_.current_boot().outcome;
    if (outcome == std::exchange(told_, outcome) || !config_.boots_network) {
        return std::nullopt;
    }
    switch (outcome) {
        case boot::Outcome::dead_end:
        case boot::Outcome::uefi_shell:
        case boot::Outcome::panic:
        case boot::Outcome::silent:
            return BootEnd::dead_end;
        case boot::Outcome::gave_up:
            // Another NIC may have its turn, or a disk.
            return config_.bootable_nics == 1 && !config_.boots_other ? std::optional{BootEnd::dead_end}
                                                                      : std::nullopt;
        case boot::Outcome::disk:
            return is_others_turn(config_, timeline_.boots()) || meant_to_leave()
                       ? std::nullopt
                       : std::optional{BootEnd::fell_through};
        case boot::Outcome::shell:
            return is_attended() ? std::nullopt : std::optional{BootEnd::dead_end};
        case boot::Outcome::none:
            return std::nullopt;
    }
    return std::nullopt;
}

Fault BootObserver::verdict(std::optional<BootEnd> end, std::vector<std::string> link_state,
                            std::optional<double> now) {
    if (end == BootEnd::chain_loop) {
        return boot::judge_chain(timeline_.boot());
    }
    if (end == BootEnd::reboot_loop) {
        return boot::judge_loop(timeline_.boots(), timeline_.current_boot().fruitless_before);
    }
    boot::Circumstances about = config_.about;
    about.link_state = std::move(link_state);
    about.now = now;
    about.ipxe = about.ipxe && !is_others_turn(config_, timeline_.boots());  // whose place it does not take
    return boot::judge(timeline_.boots(), about);
}

}  // namespace vml
