// Tells a run's events as they happen: to the file of --events, and to who follows over the control socket.
// Runs in the event loop.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "base/fd.h"
#include "control/server.h"
#include "launcher/broadcast/event_file.h"
#include "launcher/events/run_record.h"

namespace vml {

class Broadcast {
  public:
    using Clock = std::chrono::steady_clock;

    // `file`: none: nobody asked for it. `began`: vm-launch. `gone` is called once where the file cannot be
    // written any more, with the errno.
    Broadcast(boost::asio::io_context& io, OwnedFd file, Clock::time_point began,
              std::function<void(int error)> gone);

    void tell(events::Event event);
    // The exchange becomes a stream that begins with what is so now. `phase`: as in `status`.
    void add(const control::Exchange& exchange, const std::string& phase);
    // The last event. Nobody follows from then on.
    void end(events::Event last);
    // After it, and after the event loop's last run: runs that loop until those who read have it all, or a
    // moment has passed. What a handler of the loop throws comes out of it; it may be called again then.
    void drain();

    [[nodiscard]] const std::string& stage_detail() const { return record_.stage_detail(); }

  private:
    [[nodiscard]] events::Stamp stamp() const;
    [[nodiscard]] std::string lost_line(std::size_t count) const;

    boost::asio::io_context& io_;
    Clock::time_point began_;
    std::optional<Clock::time_point> drained_by_;  // once it has ended
    events::RunRecord record_;
    std::optional<EventFile> file_;
    std::list<control::Exchange> followers_;
};

}  // namespace vml
