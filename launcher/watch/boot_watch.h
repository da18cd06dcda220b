// The boot as it is followed while the VM runs: evidence from the console, the packets and QEMU → lines of
// the log, waits that are spared, and the boot's end for the supervisor. Runs in the event loop.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "base/log.h"
#include "bootwatch/report.h"
#include "launcher/events/boot_news.h"
#include "launcher/handles/handles.h"
#include "launcher/watch/answer_wait.h"
#include "launcher/watch/boot_help.h"
#include "launcher/watch/boot_observer.h"
#include "launcher/watch/frame_record.h"
#include "launcher/watch/link_pause.h"
#include "launcher/watch/network_probe.h"
#include "launcher/watch/own_offer.h"
#include "launcher/watch/shortcuts.h"
#include "launcher/watch/wire_watch.h"

namespace vml {

struct BootWatchConfig {
    ObserverConfig observer;
    ShortcutsConfig shortcuts;
    std::vector<LinkPause::Nic> pausable_nics;    // see link_pause.h
    std::vector<std::string> repeat_offers_to{};  // see offer_repeat.h
    std::optional<OwnService> own_service{};      // see own_offer.h
    std::optional<ProbeQuestion> probe{};         // see network_probe.h
    std::string own_url{};                        // what begins so vm-launch serves; empty: nothing
    std::optional<FrameRecord::Config> record{};  // of the packets; none: they are not kept
};

class BootWatch {
  public:
    struct Handlers {
        // Something that programs are told too.
        std::function<void(const events::Event& event)> on_event;
        // The latest of the stages that came together.
        std::function<void(const boot::Mark& mark)> on_stage;
        // `verdict` is empty where the run has what it waited for.
        std::function<void(BootEnd end, const Fault& verdict)> on_end;
        // Something unknown was started: is silence() called, when so much time has passed?
        std::function<void(std::chrono::seconds time)> on_unknown_program;
        std::function<void(const LinkSwitch& link)> switch_link;
        std::function<void(const std::string& filter, bool on)> switch_dump;
        std::function<void()> press_key;
        // What the guest's network looks like from outside, now.
        std::function<std::vector<std::string>()> link_state;
        // Is it told elsewhere how far a fetch is, so that it needs no lines? None: it is not.
        std::function<bool()> fetch_is_told{};
    };

    BootWatch(boost::asio::io_context& io, BootWatchConfig config, std::vector<WireTap> taps, Log& log,
              Handlers handlers);

    // The guest's network can be reached, whether or not the guest runs; or its link is about to go.
    void link_forwards(bool forwards) { forwards ? probe_.begin() : probe_.end(); }
    // The guest runs from now on.
    void started();
    // False where this is one reset with the one before.
    bool was_reset();
    void qemu_event(const std::string& name);
    void console_line(const std::string& line);
    // `quiet_s`: nothing had come of the console for so long before this did.
    void console_partial(const std::string& line, double quiet_s);
    void firmware_line(const std::string& line);
    void agent_answered();
    // The time for a sign of life is over; the guest's disks have had so many requests.
    void silence(std::uint64_t disk_requests);

    // Why the boot is where it is, now that its time is over. What vm-launch did to it is told first.
    [[nodiscard]] Fault verdict_at_timeout();

    // Seconds since the guest began to run.
    [[nodiscard]] double now() const;
    [[nodiscard]] BootObserver& observer() { return observer_; }
    // The run is over, as the head has it: tells what of the fetches was not told yet, and adds what the
    // watch did, what it hinted at and what it missed. What is left to write of the record.
    [[nodiscard]] FrameRecord::Rest end(boot::ReportHead& head);

  private:
    using Clock = std::chrono::steady_clock;

    // Once.
    struct Told {
        std::vector<std::string> hints{};
        bool late_rest = false;  // in this boot
    };

    void frame_seen(std::size_t nic, const WireFrame& frame);
    void observed(const Observed& seen);

    Log& log_;
    Handlers handlers_;
    BootObserver observer_;
    FrameRecord record_;
    BootHelp help_;
    NetworkProbe probe_;
    WireWatch wire_;
    AnswerWait answer_wait_;
    std::optional<Clock::time_point> started_;
    std::string own_url_;
    Told told_;
    events::BootNews news_;
};

}  // namespace vml
