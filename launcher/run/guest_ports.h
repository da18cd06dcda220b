// The guest's ways out beside the network: its serial console with whoever watches it, and its agent's port.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include "base/fd.h"
#include "launcher/console/console.h"
#include "launcher/console/console_log.h"
#include "launcher/console/console_viewers.h"
#include "launcher/console/screen_log.h"
#include "launcher/console/status_row.h"
#include "launcher/remote/guest_agent.h"
#include "launcher/run/run_options.h"
#include "launcher/run/suspension.h"

namespace vml {

class GuestPorts {
  public:
    struct Handlers {
        std::function<void(const std::string& line)> on_line;
        // `quiet_s`: nothing had come for so long before.
        std::function<void(const std::string& line, double quiet_s)> on_partial;
        std::function<void(bool attached)> on_attach;
        std::function<void()> on_agent;  // it answers
        // What the row below the console tells, but for the keys; none: the boot is over.
        StatusRow::Look status;
    };
    struct Ends {
        OwnedFd console;
        OwnedFd agent;
        OwnedFd log;  // that gets all of the console; none: it is not kept
    };

    // Opens the terminal where the console is attached to it.
    GuestPorts(boost::asio::io_context& io, Ends ends, const RunOptions& options, ScreenLog& screen,
               const Handlers& handlers);

    [[nodiscard]] Console& console() { return console_; }
    [[nodiscard]] ConsoleViewers& viewers() { return viewers_; }
    [[nodiscard]] GuestAgent& agent() { return agent_; }

    // The row below the console tells of the file that comes.
    [[nodiscard]] bool tells_fetch() const { return status_.is_shown(); }
    // What the guest has written by now is shown, and the terminal put back.
    void end();

    // Somebody may type: at the terminal that vm-launch runs on, or over the control socket.
    [[nodiscard]] bool is_attended() const { return console_.has_keyboard() || viewers_.has_keyboard(); }

  private:
    using Clock = std::chrono::steady_clock;

    void heard(std::string_view bytes);
    // How to leave.
    [[nodiscard]] std::string_view keys() const;
    [[nodiscard]] std::optional<BootStatus> with_keys(std::optional<BootStatus> status) const;

    ConsoleViewers viewers_;
    Clock::time_point heard_at_ = Clock::now();  // the latest piece
    std::chrono::duration<double> quiet_{0};     // before it
    ConsoleLog log_;
    Console console_;
    GuestAgent agent_;
    bool may_attach_;  // the terminal on standard input is for the guest's console
    StatusRow status_;
    Suspension suspension_;
};

}  // namespace vml
