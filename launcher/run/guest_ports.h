// The guest's ways out beside the network: its serial console with whoever watches it, and its agent's port.
#pragma once

#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "base/fd.h"
#include "launcher/console/console.h"
#include "launcher/console/console_viewers.h"
#include "launcher/console/screen_log.h"
#include "launcher/remote/guest_agent.h"

namespace vml {

class GuestPorts {
  public:
    struct Handlers {
        std::function<void(const std::string& line)> on_line;
        std::function<void(const std::string& line)> on_partial;
        std::function<void(bool attached)> on_attach;
        std::function<void()> on_agent;  // it answers
    };

    // Opens the terminal where the console is attached to it.
    GuestPorts(boost::asio::io_context& io, OwnedFd console, OwnedFd agent, ConsoleMode mode, bool raw,
               ScreenLog& screen, const Handlers& handlers);

    [[nodiscard]] Console& console() { return console_; }
    [[nodiscard]] ConsoleViewers& viewers() { return viewers_; }
    [[nodiscard]] GuestAgent& agent() { return agent_; }

    // Somebody may type: at the terminal that vm-launch runs on, or over the control socket.
    [[nodiscard]] bool is_attended() const { return console_.has_keyboard() || viewers_.has_keyboard(); }

  private:
    ConsoleViewers viewers_;
    Console console_;
    GuestAgent agent_;
};

}  // namespace vml
