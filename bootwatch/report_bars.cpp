// A boot's record → the bars of its waterfall.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bootwatch/own_offer.h"
#include "bootwatch/probe.h"
#include "bootwatch/report.h"
#include "bootwatch/report_page.h"
#include "bootwatch/timeline.h"

namespace vml::boot {

namespace {

std::string_view colour_of(Stage stage) {
    switch (stage) {
        case Stage::machine:
        case Stage::firmware:
        case Stage::option_rom:
            return "--firmware";
        case Stage::link:
        case Stage::discover:
        case Stage::offer:
        case Stage::address:
            return "--dhcp";
        case Stage::fetch:
        case Stage::script:
            return "--fetch";
        case Stage::kernel:
        case Stage::os:
        case Stage::agent:
            return "--system";
    }
    return "--soft";
}

class Bars {
  public:
    Bars(const Boot& boot, double end, std::string_view own_url)
        : boot_{boot}, end_{end}, own_url_{own_url} {}

    std::vector<Bar> all() {
        firmware();
        probe();
        for (const DhcpTalk& talk : boot_.dhcp) {
            dhcp(talk);
        }
        for (const Fetch& fetch : boot_.fetches) {
            if (!is_probe(fetch)) {
                fetched(fetch);
            }
        }
        system();
        std::stable_sort(bars_.begin(), bars_.end(),
                         [](const Bar& a, const Bar& b) { return a.began < b.began; });
        return std::move(bars_);
    }

  private:
    void moment(std::string label, double at, std::string_view colour, std::string note) {
        bars_.push_back({std::move(label), at, at, at, colour, std::move(note), true});
    }
    void wait(std::string label, double began, double ended, std::string_view colour, std::string note) {
        bars_.push_back({std::move(label), began, ended, ended, colour, std::move(note)});
    }

    void firmware() {
        for (const Stage stage : {Stage::firmware, Stage::option_rom}) {
            const auto at = boot_.time_of(stage);
            if (at) {
                bars_.push_back({std::string{title_of(stage)}, *at, *at, next_after(*at), colour_of(stage),
                                 detail_of(stage)});
            }
        }
    }

    void probe() {
        if (!boot_.probe || boot_.probe->sent == 0) {
            return;
        }
        const Probe& probe = *boot_.probe;
        const bool answered = !probe.offers.empty();
        moment("vm-launch's own probe", probe.began, has_address(probe) ? "--dhcp" : "--bad",
               answered ? answer_text(probe.offers.front()) : "nobody answered");
    }

    // The network's answers, and beside them vm-launch's.
    void dhcp(const DhcpTalk& talk) {
        const double answered =
            talk.offers.empty() ? (talk.ack ? talk.ack->at : next_after(talk.began)) : talk.offers.front().at;
        wait(fmt::format("DHCP, {}", name_of(talk.client)), talk.began, answered,
             talk.offers.empty() && !talk.ack ? "--bad" : "--dhcp",
             talk.offers.empty() ? fmt::format("{}, no offer", counted(talk.discovers, "DISCOVER"))
                                 : fmt::format("offer by {}", to_string(talk.offers.front().sender)));
        if (talk.own) {
            const std::string fate = fate_text(talk);
            moment("vm-launch's own offer", talk.own->at, "--dhcp",
                   fmt::format("file {}, to this guest alone{}{}", talk.own->message.bootfile,
                               fate.empty() ? "" : "; ", fate));
        }
        if (talk.ack && !talk.offers.empty()) {
            wait("choosing the offer", answered, talk.ack->at, "--wait",
                 fmt::format("until {} was acknowledged", to_string(talk.ack->message.yours)));
        }
        if (talk.ack) {
            wait_for_router(*talk.ack);
        }
    }

    // iPXE waits for a router's advertisement after DHCP: a gap that users wonder about.
    void wait_for_router(const Offer& ack) {
        const double next = next_after(ack.at);
        constexpr double noticeable = 1;
        if (boot_.solicited_at && !boot_.router_at && next - ack.at > noticeable) {
            wait("waiting for an IPv6 router", ack.at, next, "--wait", "no router advertisement came");
        }
    }

    void fetched(const Fetch& fetch) {
        const bool failed = fetch.state == FetchState::failed;
        const bool asked = !fetch.accepted || !fetch.bare;  // to be let in, or for a file
        const bool unheard = !fetch.answered && !fetch.by_console && (asked || fetch.ended);
        const double end = fetch.ended.value_or(unheard ? next_after(fetch.latest) : fetch.latest);
        const bool waits = unheard && !fetch.ended;
        bars_.push_back({std::string{base_name(fetch.url)}, fetch.began,
                         unheard ? end : fetch.answered.value_or(fetch.began), end,
                         failed || waits ? "--bad" : "--fetch",
                         (is_from_vm_launch(fetch, own_url_) ? "by vm-launch: " : "") +
                             (waits ? "no answer was seen" : describe_result(fetch))});
    }

    void system() {
        for (const Stage stage : {Stage::kernel, Stage::os, Stage::agent}) {
            if (const auto at = boot_.time_of(stage)) {
                const bool kernel = stage == Stage::kernel;
                const double end = kernel ? boot_.time_of(Stage::os).value_or(end_) : end_;
                bars_.push_back({std::string{title_of(stage)}, *at, *at, end, colour_of(stage),
                                 detail_of(stage), stage == Stage::agent});
            }
        }
        if (boot_.outcome != Outcome::none) {
            moment("stopped", boot_.outcome_at, "--bad", boot_.outcome_text);
        }
    }

    [[nodiscard]] std::string detail_of(Stage stage) const {
        const auto mark = std::find_if(boot_.marks.begin(), boot_.marks.end(), [&](const Mark& candidate) {
            return candidate.proves && candidate.stage == stage;
        });
        return mark == boot_.marks.end() ? std::string{} : mark->detail;
    }

    // When the next thing happened.
    [[nodiscard]] double next_after(double at) const {
        double next = boot_.outcome != Outcome::none && boot_.outcome_at > at ? boot_.outcome_at : end_;
        for (const Mark& mark : boot_.marks) {
            if (mark.at > at) {
                next = std::min(next, mark.at);
            }
        }
        for (const Fetch& fetch : boot_.fetches) {
            if (fetch.began > at) {
                next = std::min(next, fetch.began);
            }
        }
        return next;
    }

    const Boot& boot_;
    double end_;
    std::string_view own_url_;
    std::vector<Bar> bars_;
};

}  // namespace

std::vector<Bar> bars_of(const Boot& boot, double end, std::string_view own_url) {
    return Bars{boot, end, own_url}.all();
}

}  // namespace vml::boot
