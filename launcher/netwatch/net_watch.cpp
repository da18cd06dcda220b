#include "launcher/netwatch/net_watch.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/system/error_code.hpp>
#include <fmt/format.h>

#include "base/text.h"

namespace vml::netwatch {

namespace {

using std::chrono::duration;
using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr double table_every_s = 0.25;  // where there is news
constexpr double ages_every_s = 1;      // where there is none
constexpr double losses_every_s = 1;

double wall_s() {
    return duration<double>(system_clock::now().time_since_epoch()).count();
}

double steady_s() {
    return duration<double>(steady_clock::now().time_since_epoch()).count();
}

Fault link_gone(const std::string& link) {
    return {fmt::format("{} was removed", link), "the network interface is gone", "", ExitCode::host};
}

// Of standard output: its reader went away, or it cannot be written.
WatchEnd unread(int error, bool awaits_a_stage) {
    constexpr int by_signal = 128;  // as of a program that SIGPIPE ends
    if (error == EPIPE || error == EIO) {
        return {"standard output was closed", awaits_a_stage ? by_signal + SIGPIPE : 0};
    }
    Fault fault{"cannot write standard output: " + errno_text(error), "", "", ExitCode::host};
    return {fault.what, static_cast<int>(fault.code), fault};
}

Fault too_late(const WatchRequest& request) {
    return {fmt::format("{} reached '{}' within {} s",
                        request.only ? mac_text(*request.only) + " has not" : "no machine has",
                        name_of(*request.until), request.timeout->count()),
            "", "", ExitCode::boot_timeout};
}

}  // namespace

void Readable::each_time(const std::function<void()>& handler) {
    descriptor_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                           [this, handler](const boost::system::error_code& error) {
                               if (!error) {
                                   handler();
                                   each_time(handler);
                               }
                           });
}

NetWatch::NetWatch(WatchRequest request, net::FrameRing& ring, net::LinkWatcher& links)
    : request_{std::move(request)},
      ring_{ring},
      links_{links},
      waits_{.frames{io_, ring.fd()},
             .links{io_, links.fd()},
             .signals{io_, SIGINT, SIGTERM, SIGWINCH},
             .timer = boost::asio::steady_timer{io_}},
      live_{request_.only, request_.boots},
      clock_{wall_s(), steady_s()},
      began_{clock_.now()},
      output_{io_, request_.shown, began_,
              [this](int error) { finish(unread(error, request_.until.has_value())); }} {
    for (const int number : {SIGPIPE, SIGXFSZ}) {  // a write tells of it by EPIPE or EFBIG
        std::ignore = ::signal(number, SIG_IGN);
    }
    if (::signal(SIGHUP, SIG_IGN) != SIG_IGN) {  // nohup(1) has it ignored
        waits_.signals.add(SIGHUP);
    }
}

double NetWatch::now() {
    clock_.read(wall_s(), steady_s());
    output_.watch_began(clock_.shown(began_));
    return clock_.now();
}

WatchEnd NetWatch::run() {
    output_.tell(watching(request_.link, request_.only, began_));
    output_.show({}, began_);
    wait_for_signals();
    waits_.frames.each_time([this] { read_frames(); });
    waits_.links.each_time([this] { read_links(); });
    read_links();
    set_timer();
    io_.run();
    const double at_end = now();
    const Ending ending{.link = request_.link,
                        .lasted = at_end - began_,
                        .tally = tally_of(live_.machines()),
                        .frames = live_.all().counts().frames,
                        .lost = progress_.lost,
                        .gave_way = live_.all().counts().gave_way,
                        .why = end_->why,
                        .exit_code = end_->exit_code};
    output_.finish(ended(ending, clock_.shown(at_end)));
    return *end_;
}

capture::Explanation NetWatch::explanation() {
    capture::Machines& machines = live_.all();
    capture::Counts counts = machines.counts();
    counts.lost = progress_.lost;
    return {request_.link, "Ethernet", counts, machines.other_hosts(), machines.found()};
}

void NetWatch::wait_for_signals() {
    waits_.signals.async_wait([this](const boost::system::error_code& error, int number) {
        if (error) {
            return;
        }
        if (number == SIGWINCH) {
            progress_.changed = true;
            set_timer();
        } else {
            constexpr int by_signal = 128;
            finish({fmt::format("ended by {}", number == SIGINT    ? "Ctrl-C (SIGINT)"
                                               : number == SIGTERM ? "SIGTERM"
                                                                   : "SIGHUP"),
                    request_.until ? by_signal + number : 0});
        }
        wait_for_signals();
    });
}

// What was lost before it counts for the boots that end in what is read now.
void NetWatch::take_frames() {
    now();
    count_losses();
    ring_.read(
        [this](double at, std::string_view frame) { live_.frame(clock_.of_frame(at), bytes_of(frame)); });
    count_losses();
}

void NetWatch::count_losses() {
    if (const std::uint64_t lost = ring_.lost(); lost > 0) {
        progress_.lost += lost;
        progress_.untold += lost;
        live_.frames_lost();
    }
}

void NetWatch::read_frames() {
    take_frames();
    // Netlink tells that the link is down, but not always that it was.
    if (ring_.error() == ENETDOWN) {
        live_.frames_lost();
    }
    tell_news();
    set_timer();
}

void NetWatch::read_links() {
    const auto events = links_.read();
    const net::Link* link = links_.link(request_.link_index);
    const bool gone = link == nullptr || std::any_of(events.begin(), events.end(), [](const auto& event) {
                          return event.kind == net::LinkEvent::Kind::deleted;
                      });
    if (gone) {
        read_frames();
        finish({"the interface was removed", static_cast<int>(ExitCode::host), link_gone(request_.link)});
    } else if (link->up != progress_.up) {
        progress_.up = link->up;
        if (!link->up) {
            take_frames();
        }
        live_.frames_lost();
        output_.tell(link_turned(request_.link, link->up, clock_.shown(now())));
        progress_.changed = true;
        tell_news();
        set_timer();
    }
}

// All of what one look brought is told, also what comes after the end.
void NetWatch::tell_news() {
    tell_losses(now());
    std::optional<WatchEnd> end;
    for (capture::News& news : live_.take_news()) {
        news.when = clock_.shown(news.when);
        output_.tell(told_of(news));
        progress_.changed = true;
        end = end ? end : end_by(news);
    }
    if (end) {
        finish(*std::move(end));
    }
}

// Has what is waited for come, or will it not?
std::optional<WatchEnd> NetWatch::end_by(const capture::News& news) const {
    if (!request_.until) {
        return std::nullopt;
    }
    if (news.kind == capture::News::Kind::mark && news.mark.proves && news.mark.stage == *request_.until) {
        return WatchEnd{fmt::format("{} reached '{}'", mac_text(news.mac), name_of(*request_.until))};
    }
    if (news.kind == capture::News::Kind::verdict && news.verdict.code != ExitCode::ok) {
        return WatchEnd{fmt::format("{} failed", mac_text(news.mac)), static_cast<int>(news.verdict.code),
                        news.verdict};
    }
    return std::nullopt;
}

void NetWatch::tell_losses(double now) {
    if (progress_.untold > 0 && now - progress_.told_losses >= losses_every_s) {
        output_.tell(frames_lost(std::exchange(progress_.untold, 0), clock_.shown(now)));
        progress_.told_losses = now;
        progress_.changed = true;
    }
}

void NetWatch::set_timer() {
    if (end_) {
        return;
    }
    std::vector<double> moments;
    if (const auto due = live_.due()) {
        moments.push_back(*due);
    }
    if (request_.timeout) {
        moments.push_back(began_ + static_cast<double>(request_.timeout->count()));
    }
    if (progress_.untold > 0) {
        moments.push_back(progress_.told_losses + losses_every_s);
    }
    if (output_.has_table() && progress_.drawn > 0) {
        moments.push_back(progress_.drawn + (progress_.changed ? table_every_s : ages_every_s));
    } else if (output_.has_table() && progress_.changed) {
        moments.push_back(began_);
    }
    if (moments.empty()) {
        return;
    }
    constexpr double longest = 3600;
    const double next = *std::min_element(moments.begin(), moments.end()) - now();
    waits_.timer.expires_after(
        std::chrono::ceil<std::chrono::milliseconds>(duration<double>(std::clamp(next, 0.001, longest))));
    waits_.timer.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
            timer_rang();
        }
    });
}

void NetWatch::timer_rang() {
    take_frames();
    const double now = clock_.now();
    live_.pass(now);
    tell_news();
    if (request_.timeout && now >= began_ + static_cast<double>(request_.timeout->count())) {
        finish({"timed out", static_cast<int>(ExitCode::boot_timeout), too_late(request_)});
    }
    const double pause = progress_.changed ? table_every_s : ages_every_s;
    if (output_.has_table() && now >= progress_.drawn + pause) {
        const auto machines = live_.machines();
        output_.show(machines, now);
        progress_.drawn = machines.empty() ? 0 : now;
        progress_.changed = false;
    }
    set_timer();
}

// The first end counts.
void NetWatch::finish(WatchEnd end) {
    if (end_) {
        return;
    }
    end_ = std::move(end);
    take_frames();
    progress_.told_losses = 0;  // all of them are told, however soon
    tell_news();
    output_.show(live_.machines(), clock_.now());
    io_.stop();
}

}  // namespace vml::netwatch
