#include "launcher/run/guest_ports.h"

#include <string_view>
#include <utility>

#include <unistd.h>

#include "launcher/console/terminal.h"

namespace vml {

GuestPorts::GuestPorts(boost::asio::io_context& io, Ends ends, const RunOptions& options, ScreenLog& screen,
                       const Handlers& handlers)
    : viewers_{{[this](std::string_view bytes) { console_.type(bytes); },
                [this] { return console_.has_keyboard(); }}},
      log_{std::move(ends.log), [&screen](const std::string& what) { screen.log().warning(what); }},
      console_{io,
               std::move(ends.console),
               options.console,
               screen.out(),
               output_kind(STDOUT_FILENO, options.console == ConsoleMode::attached, options.console_bytes),
               {handlers.on_line,
                [this, on_partial = handlers.on_partial](const std::string& line) {
                    on_partial(line, quiet_.count());
                },
                [&screen] { screen.own_lines().guest_wrote(); }, handlers.on_attach,
                [this](std::string_view bytes) { heard(bytes); }}},
      agent_{io, std::move(ends.agent), handlers.on_agent},
      may_attach_{options.console == ConsoleMode::attached},
      status_{io, screen.out(), [this, status = handlers.status] { return with_keys(status()); },
              options.colour},
      suspension_{io,
                  [this] {
                      status_.hide();
                      console_.suspend(true);
                  },
                  [this] { console_.suspend(false); }} {
    screen.own_lines().beside(&console_);
    if (options.status_row) {
        status_.begin();
    }
    if (options.status_row || may_attach_) {
        suspension_.begin();
    }
}

void GuestPorts::end() {
    suspension_.end();
    console_.drain({});
    status_.end();
    console_.release_terminal();
}

std::string_view GuestPorts::keys() const {
    return console_.has_keyboard() ? "Ctrl-] detaches"
           : may_attach_           ? "Enter attaches, Ctrl-C stops"
                                   : "Ctrl-C stops";
}

std::optional<BootStatus> GuestPorts::with_keys(std::optional<BootStatus> status) const {
    if (status) {
        status->keys = keys();
    }
    return status;
}

void GuestPorts::heard(std::string_view bytes) {
    const Clock::time_point now = Clock::now();
    quiet_ = now - std::exchange(heard_at_, now);
    log_.add(bytes);
    viewers_.show(bytes);
}

}  // namespace vml
