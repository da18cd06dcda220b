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
    // After the last event: followers are let go, the file's reader has a moment.
    void end();

    [[nodiscard]] const std::string& stage_detail() const { return record_.stage_detail(); }

  private:
    [[nodiscard]] events::Stamp stamp() const;
    [[nodiscard]] std::string lost_line(std::size_t count) const;

    Clock::time_point began_;
    events::RunRecord record_;
    std::optional<EventFile> file_;
    std::list<control::Exchange> followers_;
};

}  // namespace vml
