#include "launcher/watch/boot_watch.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bootwatch/hints.h"
#include "bootwatch/own_frame.h"
#include "bootwatch/packet.h"

namespace vml {

namespace {

// Before the verdict on a boot that failed: what vm-launch did that the network and the guest did not ask
// for.
void tell_help(const std::vector<std::string>& done, Log& log) {
    if (!done.empty()) {
        log.warning(
            fmt::format("vm-launch had a hand in this boot: {}; --fast-boot=off shows whether it fails "
                        "without, too",
                        fmt::join(done, "; ")));
    }
}

using Tell = std::function<void(const events::Event& event)>;

void tell_all(const std::vector<events::Event>& news, const Tell& tell) {
    for (const events::Event& event : news) {
        tell(event);
    }
}

// To people, and to programs.
void tell_both(LogLevel level, const std::string& sentence, const events::Event& event, Log& log,
               const Tell& tell) {
    tell(event);
    log.tell(level, sentence, {events::name_of(event.kind), event.fields});
}

// By the HTTP server of that URL, which is on the host or behind QEMU's own network; one on a segment has its
// own MAC address.
bool is_sent_by(const std::string& own_url, const boot::Packet& packet) {
    return !own_url.empty() && packet.from.port != 0 &&
           fmt::format("http://{}:{}/", to_string(packet.from.address), packet.from.port) == own_url;
}

// Did the guest fetch anything from vm-launch itself?
bool was_served(const std::vector<boot::Boot>& boots, const std::string& own_url) {
    return std::any_of(boots.begin(), boots.end(), [&](const boot::Boot& boot) {
        return std::any_of(boot.fetches.begin(), boot.fetches.end(),
                           [&](const boot::Fetch& fetch) { return boot::is_from_vm_launch(fetch, own_url); });
    });
}

// A file comes, and nobody looks for an address.
bool is_under_way(const std::vector<boot::Fetch>& fetches) {
    return !fetches.empty() && fetches.back().state == boot::FetchState::receiving;
}

// Headers and scripts are read of the beginning of a fetch.
bool brings_more_of_a_file(const boot::Packet& packet, const std::vector<boot::Fetch>& fetches) {
    constexpr std::uint64_t beginning = 64U << 10U;
    if (fetches.empty() || fetches.back().received <= beginning) {
        return false;
    }
    const auto* tcp = std::get_if<boot::TcpSegment>(&packet.body);
    return std::holds_alternative<boot::TftpData>(packet.body) ||
           (tcp != nullptr && !tcp->syn && !tcp->fin && !tcp->rst);
}

// Once: what the network costs every iPXE.
void tell_hints(std::vector<std::string> found, std::vector<std::string>& told, Log& log, const Tell& tell) {
    constexpr std::size_t most = 50;
    for (std::string& hint : found) {
        if (told.size() < most && std::find(told.begin(), told.end(), hint) == told.end()) {
            tell_both(LogLevel::info, "hint: " + hint, events::hint(log.worded(hint)), log, tell);
            told.push_back(std::move(hint));
        }
    }
}

// iPXE's console has what was not seen; a loader that prints nothing tells nobody. Once a boot.
void tell_late_rest(double late_s, double at, const std::vector<boot::Fetch>& fetches, bool& told, Log& log) {
    if (late_s <= boot::rest_margin_s || std::exchange(told, true)) {
        return;
    }
    log.info(fmt::format(
        "[{:6.2f} s] this host is too busy to watch the wire: {:.1f} s of it were not seen{}, and a "
        "small file that came then may be in no line",
        at, late_s, fetches.empty() ? "" : " while " + fetches.back().url + " came"));
}

// What the guest will be offered, it tells by itself.
void tell_probe(const boot::Probe& probe, double at, Log& log) {
    const std::vector<std::string> lines = boot::answer_lines(probe);
    for (const std::string& line : lines) {
        log.debug(fmt::format("[{:6.2f} s] probe of the network: {}", at, line));
    }
    if (lines.empty() && probe.sent > 0) {
        log.debug(fmt::format("[{:6.2f} s] probe of the network: nobody answered {} DISCOVER{}", at,
                              probe.sent, probe.sent == 1 ? "" : "s"));
    }
}

std::string end_text(const boot::ReportHead& head) {
    return fmt::format("{} (exit code {}){}{}", head.summary, head.exit_code,
                       head.fault && !head.fault->why.empty() ? ": " : "", head.fault ? head.fault->why : "");
}

std::optional<boot::Packet> own_packet(std::string_view frame) {
    auto packet = boot::decode_frame(bytes_of(frame));
    if (packet) {
        packet->ours = true;
    }
    return packet;
}

}  // namespace

BootWatch::BootWatch(boost::asio::io_context& io, BootWatchConfig config, std::vector<WireTap> taps, Log& log,
                     Handlers handlers)
    : log_{log},
      handlers_{std::move(handlers)},
      observer_{std::move(config.observer)},
      record_{std::move(config.record), observer_.config().nics},
      help_{io,
            {Shortcuts{config.shortcuts, observer_.config().nics}, LinkPause{std::move(config.pausable_nics)},
             OfferRepeat{config.repeat_offers_to, observer_.config().nics},
             OwnOffer{std::move(config.own_service), observer_.config().nics}},
            log,
            {handlers_.switch_link, handlers_.press_key, [this] { wire_.catch_up(); },
             [this](std::size_t nic, std::string_view frame) { return wire_.send(nic, frame); },
             [this](std::size_t nic, std::string_view frame) {
                 record_.own_frame(nic, frame, boot::own_help_comment);
             },
             [this] { return now(); }, [this]() -> const boot::Boot& { return observer_.boot(); },
             [this]() -> const boot::Boot& { return observer_.current_boot(); }}},
      probe_{io,
             config.probe,
             taps,
             {[this](std::size_t nic, std::string_view frame) {
                  const bool went = wire_.send(nic, frame);
                  if (went) {
                      record_.own_frame(nic, frame, boot::own_probe_comment);
                  }
                  return went;
              },
              [this] { return now(); }, [this](const boot::Probe& probe) { observer_.probed(probe); },
              [this](const boot::Probe& probe) { tell_probe(probe, now(), log_); }}},
      wire_{
          io,
          std::move(taps),
          {[this](std::size_t nic, const WireFrame& frame) { frame_seen(nic, frame); }, handlers_.switch_dump,
           [this](double late_s) {
               tell_late_rest(late_s, now(), observer_.fetches(), told_.late_rest, log_);
           },
           // iPXE may look for an address, and another server's offer come right after (own_offer.h).
           [this](std::size_t nic) {
               return nic == help_.own_offer().nic() && !is_under_way(observer_.fetches());
           }}},
      answer_wait_{io,
                   log,
                   {[this] { return now(); },
                    [this]() -> const std::vector<boot::Fetch>& { return observer_.fetches(); }}},
      own_url_{std::move(config.own_url)} {}

void BootWatch::started() {
    started_ = Clock::now();
    observed(observer_.started(0));
}

bool BootWatch::was_reset() {
    const Observed seen = observer_.reset(now());
    if (seen.marks.empty()) {
        return false;
    }
    told_.late_rest = false;
    record_.was_reset();
    probe_.end();  // what is still to be answered was asked for the boot before
    help_.was_reset();
    wire_.resume();
    observed(seen);
    return true;
}

void BootWatch::qemu_event(const std::string& name) {
    observed(observer_.event(now(), name));
}

void BootWatch::console_line(const std::string& line) {
    wire_.catch_up();
    observed(observer_.line(now(), line));
    help_.console_line(line);
}

void BootWatch::console_partial(const std::string& line, double quiet_s) {
    observed(observer_.partial(now(), line));
    help_.console_partial(line, quiet_s);
}

void BootWatch::firmware_line(const std::string& line) {
    observed(observer_.firmware_line(now(), line));
}

void BootWatch::agent_answered() {
    observed(observer_.agent_answered(now()));
}

void BootWatch::silence(std::uint64_t disk_requests) {
    observed(observer_.silence(now(), disk_requests));
}

Fault BootWatch::verdict_at_timeout() {
    tell_help(help_.shortcuts().done_in_boot(), log_);
    return observer_.verdict(std::nullopt, handlers_.link_state(), now());
}

double BootWatch::now() const {
    return started_ ? std::chrono::duration<double>(Clock::now() - *started_).count() : 0;
}

FrameRecord::Rest BootWatch::end(boot::ReportHead& head) {
    if (started_) {  // a guest that never ran did not boot
        tell_all(news_.last_look(now(), observer_.current_boot(), observer_.fetches()), handlers_.on_event);
    }
    if (std::string offered = help_.own_offer().text(); !offered.empty()) {
        head.helped.push_back(std::move(offered));
    }
    head.own_url = own_url_;
    if (was_served(observer_.boots(), own_url_)) {
        head.helped.insert(head.helped.end(), head.served.begin(), head.served.end());
    }
    const std::vector<std::string> done = help_.shortcuts().done();
    head.helped.insert(head.helped.end(), done.begin(), done.end());
    head.hints = told_.hints;
    head.lost_frames = wire_.lost();
    return record_.end(end_text(head));
}

void BootWatch::frame_seen(std::size_t nic, const WireFrame& frame) {
    const FrameRecord::Look look = record_.frame(nic, frame);
    auto packet = boot::decode_frame(frame.bytes);
    if (!packet) {
        return;
    }
    packet->came_in = frame.came_in;
    if (probe_.takes(nic, *packet)) {
        record_.note(boot::own_probe_comment);
        return;
    }
    Observed seen = observer_.packet(now(), nic, *packet);
    seen.is_data = !std::holds_alternative<boot::DhcpMessage>(packet->body);
    const std::vector<std::string> offered = help_.offer_own(nic, *packet);  // before anything is told of it
    const double offered_at = now();
    observed(seen);
    if (brings_more_of_a_file(*packet, observer_.fetches())) {
        record_.keep_head();
    }
    if (is_sent_by(own_url_, *packet)) {  // after that: of a frame with a comment all is kept
        record_.note(boot::own_server_comment);
    }
    for (const std::string& own : offered) {
        if (const auto own_seen = own_packet(own)) {
            const FrameRecord::Look own_look = record_.own_frame(nic, own, boot::own_offer_comment);
            observed(observer_.packet(offered_at, nic, *own_seen));
        }
    }
    if (const double rest = boot::uneventful_s(observer_.fetches()); rest > 0) {
        wire_.rest(nic, std::chrono::duration<double>{rest});
    }
    help_.packet(nic, *packet);
    answer_wait_.look();
}

// Tells what is new of the boot, and what follows from it.
void BootWatch::observed(const Observed& seen) {
    if (started_ && !(seen.is_data && news_.can_wait(now(), observer_.fetches()))) {
        const std::vector<events::Event> news =
            news_.look(now(), observer_.current_boot(), observer_.fetches());
        tell_all(news, handlers_.on_event);
        record_.note(news);
    }
    record_.note(seen.marks);
    if (seen.progress && !(handlers_.fetch_is_told && handlers_.fetch_is_told())) {
        const events::Event event = events::fetch(news_.boot(), observer_.fetches().back());
        log_.tell(LogLevel::info, fmt::format("[{:6.2f} s] {}", now(), *seen.progress),
                  {events::name_of(event.kind), event.fields});
    }
    if (seen.warning) {
        tell_both(LogLevel::warning, *seen.warning, events::hint(log_.worded(*seen.warning)), log_,
                  handlers_.on_event);
        told_.hints.push_back(*seen.warning);
    }
    for (const boot::Mark& mark : seen.marks) {
        tell_both(LogLevel::info,
                  fmt::format("[{:6.2f} s] {}: {}", mark.at, boot::title_of(mark.stage), mark.detail),
                  events::stage(news_.boot(), mark), log_, handlers_.on_event);
    }
    if (!seen.marks.empty()) {
        handlers_.on_stage(seen.marks.back());
        // Neither a user-mode network nor a segment of vm-launch's is anybody's to mend.
        const boot::Network network = observer_.config().about.network;
        if (observer_.has_reached(boot::Stage::kernel) && network != boot::Network::nat &&
            network != boot::Network::isolated) {
            tell_hints(boot::network_hints(observer_.boot(), help_.shortcuts().spared_router()), told_.hints,
                       log_, handlers_.on_event);
        }
        if (observer_.has_reached(boot::Stage::os)) {
            wire_.pause();
        }
    }
    if (seen.wait_for_silence) {
        handlers_.on_unknown_program(std::chrono::seconds{static_cast<int>(std::ceil(seen.silence_in_s))});
    }
    if (seen.end) {
        const bool failed = *seen.end != BootEnd::until_reached;
        if (failed) {
            tell_help(help_.shortcuts().done_in_boot(), log_);
        }
        handlers_.on_end(*seen.end, failed ? observer_.verdict(seen.end, handlers_.link_state()) : Fault{});
    }
}

}  // namespace vml
