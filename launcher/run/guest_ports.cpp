#include "launcher/run/guest_ports.h"

#include <string_view>
#include <utility>

#include <unistd.h>

#include "launcher/console/terminal.h"

namespace vml {

GuestPorts::GuestPorts(boost::asio::io_context& io, OwnedFd console, OwnedFd agent, ConsoleMode mode,
                       bool raw, ScreenLog& screen, const Handlers& handlers)
    : viewers_{{[this](std::string_view bytes) { console_.type(bytes); },
                [this] { return console_.has_keyboard(); }}},
      console_{io,
               std::move(console),
               mode,
               screen.out(),
               output_kind(STDOUT_FILENO, mode == ConsoleMode::attached, raw),
               {handlers.on_line,
                [this, on_partial = handlers.on_partial](const std::string& line) {
                    on_partial(line, quiet_.count());
                },
                [&screen] { screen.own_lines().guest_wrote(); }, handlers.on_attach,
                [this](std::string_view bytes) { heard(bytes); }}},
      agent_{io, std::move(agent), handlers.on_agent} {
    screen.own_lines().beside(&console_);
}

void GuestPorts::heard(std::string_view bytes) {
    const Clock::time_point now = Clock::now();
    quiet_ = now - std::exchange(heard_at_, now);
    viewers_.show(bytes);
}

}  // namespace vml
