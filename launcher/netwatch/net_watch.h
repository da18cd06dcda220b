// A watch from its first frame to its end: the event loop. Makes system calls.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/error.h"
#include "base/mac.h"
#include "bootwatch/stage.h"
#include "capture/explanation.h"
#include "capture/live.h"
#include "launcher/netwatch/watch_clock.h"
#include "launcher/netwatch/watch_output.h"
#include "netsetup/frame_ring.h"
#include "netsetup/watch.h"

namespace vml::netwatch {

struct WatchRequest {
    std::string link{};
    int link_index = 0;
    std::optional<Mac> only{};
    std::optional<boot::Stage> until{};
    std::optional<std::chrono::seconds> timeout{};  // for that stage
    Shown shown = Shown::lines;
    capture::KeptBoots boots{.most = 0, .weight = 0};
};

// Its end: a fault, unless the exit code is 0 or a signal's.
struct WatchEnd {
    std::string why{};
    int exit_code = 0;
    std::optional<Fault> fault{};
};

// Waits for a descriptor that belongs to somebody else.
class Readable {
  public:
    Readable(boost::asio::io_context& io, int fd) : descriptor_{io, fd} {}
    ~Readable() { descriptor_.release(); }
    Readable(const Readable&) = delete;
    Readable& operator=(const Readable&) = delete;
    Readable(Readable&&) = delete;
    Readable& operator=(Readable&&) = delete;

    // Again and again.
    void each_time(const std::function<void()>& handler);

  private:
    boost::asio::posix::stream_descriptor descriptor_;
};

class NetWatch {
  public:
    // Both must outlive it.
    NetWatch(WatchRequest request, net::FrameRing& ring, net::LinkWatcher& links);

    // Until a signal, the stage that is waited for, or the link's end; once.
    [[nodiscard]] WatchEnd run();
    // Of all that was seen.
    [[nodiscard]] capture::Explanation explanation();

  private:
    void wait_for_signals();
    double now();  // reads the clock
    void take_frames();
    void count_losses();
    void read_frames();
    void read_links();
    void tell_news();
    [[nodiscard]] std::optional<WatchEnd> end_by(const capture::News& news) const;
    void tell_losses(double now);
    void set_timer();
    void timer_rang();
    void finish(WatchEnd end);

    WatchRequest request_;
    net::FrameRing& ring_;
    net::LinkWatcher& links_;
    boost::asio::io_context io_{1};
    struct Waits {
        Readable frames;
        Readable links;
        boost::asio::signal_set signals;
        boost::asio::steady_timer timer;
    } waits_;
    capture::Live live_;
    WatchClock clock_;
    double began_;  // by that clock
    WatchOutput output_;
    struct Progress {
        bool up = true;
        std::uint64_t lost = 0;    // frames
        std::uint64_t untold = 0;  // of these
        double told_losses = 0;    // when
        double drawn = 0;          // when the table was
        bool changed = false;      // since then
    } progress_;
    std::optional<WatchEnd> end_;
};

}  // namespace vml::netwatch
