#include "launcher/console.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

namespace vml {

namespace {

using boost::system::error_code;

constexpr char ctrl_right_bracket = '\x1d';

// Colours and modes that the guest left behind: SGR reset, line wrap on, cursor on (ECMA-48; DEC private
// modes).
constexpr std::string_view terminal_reset = "\x1b[0m\x1b[?7h\x1b[?25h";

// A description of our own, so that O_NONBLOCK does not reach the shell.
OwnedFd open_keyboard() {
    OwnedFd fd{::open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)};
    if (!fd) {
        throw Error{{"cannot read the terminal", errno_text(errno), "use --no-console", ExitCode::failed}};
    }
    return fd;
}

}  // namespace

Keys split_keys(std::string_view typed) {
    const std::size_t at = typed.find(ctrl_right_bracket);
    return {std::string{typed.substr(0, at)}, at != std::string_view::npos};
}

Console::Console(boost::asio::io_context& io, OwnedFd socket, ConsoleMode mode, OutputQueue& output,
                 Handlers handlers)
    : guest_{io, boost::asio::local::stream_protocol{}, socket.release()},
      mode_{mode},
      output_{output},
      handlers_{std::move(handlers)},
      keyboard_{io} {
    guest_.non_blocking(true);
    if (mode_ == ConsoleMode::attached) {
        keyboard_.assign(open_keyboard().release());
        attach();
        read_keys();
    }
    output_.on_drained([this] {
        if (std::exchange(paused_, false)) {
            read_guest();
        }
    });
    read_guest();
}

void Console::read_guest() {
    guest_.async_read_some(boost::asio::buffer(from_guest_),
                           [this](const error_code& error, std::size_t count) {
                               if (error) {
                                   return;
                               }
                               took({from_guest_.data(), count});
                               // A reader who stopped reading holds the guest's serial port back, as flow
                               // control would.
                               paused_ = output_.congested();
                               if (!paused_) {
                                   read_guest();
                               }
                           });
}

void Console::took(std::string_view bytes) {
    if (mode_ != ConsoleMode::silent && !bytes.empty()) {
        output_.write(bytes);
        mid_line_ = bytes.back() != '\n';
        if (!mid_line_) {
            handlers_.on_line_start();
        }
    }
    for (const std::string& line : text_.feed(bytes)) {
        handlers_.on_line(line);
    }
}

void Console::drain() {
    error_code error;
    while (true) {
        const std::size_t count = guest_.read_some(boost::asio::buffer(from_guest_), error);
        if (error || count == 0) {
            return;
        }
        took({from_guest_.data(), count});
    }
}

void Console::attach() {
    raw_.emplace(STDIN_FILENO);
    mode_ = ConsoleMode::attached;
}

void Console::detach() {
    release_terminal();
    handlers_.on_attach(false);
    mode_ = ConsoleMode::silent;
}

void Console::release_terminal() {
    if (raw_) {
        output_.write(terminal_reset);
        raw_.reset();
    }
}

void Console::read_keys() {
    keyboard_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const error_code& error) {
        std::array<char, 1024> keys{};
        const ssize_t count = error ? 0 : ::read(keyboard_.native_handle(), keys.data(), keys.size());
        if (count == 0 || (count < 0 && errno != EAGAIN)) {
            return;  // the terminal is gone: SIGHUP tells the rest
        }
        if (count > 0) {
            typed({keys.data(), static_cast<std::size_t>(count)});
        }
        read_keys();
    });
}

void Console::typed(std::string_view bytes) {
    if (!raw_) {  // detached: a line, which is Enter
        attach();
        handlers_.on_attach(true);
        return;
    }
    const Keys keys = split_keys(bytes);
    send(keys.for_guest);
    if (keys.detach) {
        detach();
    }
}

// A guest that does not read its serial port loses keys, as with a real one.
void Console::send(std::string_view bytes) {
    while (!bytes.empty()) {
        error_code error;
        const std::size_t count = guest_.write_some(boost::asio::buffer(bytes.data(), bytes.size()), error);
        if (error) {
            return;
        }
        bytes.remove_prefix(count);
    }
}

}  // namespace vml
