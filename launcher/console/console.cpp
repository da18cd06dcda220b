#include "launcher/console/console.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

namespace vml {

namespace {

using boost::system::error_code;

constexpr char ctrl_right_bracket = '\x1d';

// A description of our own, so that O_NONBLOCK does not reach the shell.
OwnedFd open_keyboard() {
    OwnedFd fd{::open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)};
    if (!fd) {
        throw Error{{"cannot read the terminal", errno_text(errno), "use --no-console", ExitCode::failed}};
    }
    return fd;
}

// Nothing when there is nothing to read yet, 0 at the end.
std::optional<std::size_t> read_some(int socket, ReadBuffer<16384>& into, std::size_t most, int flags = 0) {
    const ssize_t count = ::recv(socket, into.data(), std::min(most, into.size()), flags);
    if (count < 0) {
        return errno == EAGAIN || errno == EINTR ? std::nullopt : std::optional<std::size_t>{0};
    }
    return static_cast<std::size_t>(count);
}

}  // namespace

Keys split_keys(std::string_view typed) {
    const std::size_t at = typed.find(ctrl_right_bracket);
    return {std::string{typed.substr(0, at)}, at != std::string_view::npos};
}

Console::Console(boost::asio::io_context& io, OwnedFd socket, ConsoleMode mode, OutputQueue& output,
                 const screen::OutputKind& kind, Handlers handlers)
    : guest_{std::move(socket)},
      guest_wait_{io, guest_.get(), [this] { read_guest(); }},
      mode_{mode},
      output_{output},
      handlers_{std::move(handlers)},
      shown_{io, output, kind},
      keyboard_{io} {
    ::fcntl(guest_.get(), F_SETFL, O_NONBLOCK);
    if (mode_ == ConsoleMode::attached) {
        keyboard_.assign(open_keyboard().release());
        attach();
        read_keys();
    }
    output_.on_drained([this] {
        if (std::exchange(paused_, false)) {
            guest_wait_.begin();
        }
    });
    guest_wait_.begin();
}

// Also when an exception ends us.
Console::~Console() {
    try {
        release_terminal();
    } catch (...) {
        raw_.reset();
    }
}

void Console::read_guest() {
    const std::optional<std::size_t> count = read_some(guest_.get(), from_guest_, from_guest_.size());
    if (count == std::size_t{0}) {
        return;  // QEMU is gone
    }
    took({from_guest_.data(), count.value_or(0)});
    // A reader who stopped reading holds the guest's serial port back, as flow control would.
    paused_ = output_.congested();
    if (!paused_) {
        guest_wait_.begin_after_rest();
    }
}

void Console::took(std::string_view bytes) {
    if (handlers_.on_bytes) {
        handlers_.on_bytes(bytes);
    }
    // Lines of ours may be waiting for the end of the guest's.
    const std::size_t lines_end = bytes.rfind('\n') + 1;
    show(bytes.substr(0, lines_end));
    show(bytes.substr(lines_end));
    for (const std::string& line : text_.feed(bytes)) {
        handlers_.on_line(line);
    }
    if (!text_.partial().empty()) {
        handlers_.on_partial(text_.partial());
    }
}

void Console::show(std::string_view bytes) {
    if (bytes.empty()) {
        return;
    }
    if (!is_shown()) {
        shown_.skip(bytes);
        return;
    }
    shown_.write(bytes);
    handlers_.on_shown();
}

void Console::drain(std::string_view end) {
    int waiting = 0;  // all of it, on a stream socket: unix(7)
    if (::ioctl(guest_.get(), FIONREAD, &waiting) != 0) {
        return;
    }
    for (auto left = static_cast<std::size_t>(waiting); left > 0;) {
        const std::size_t there =
            read_some(guest_.get(), from_guest_, from_guest_.size(), MSG_PEEK).value_or(0);
        const std::string_view seen{from_guest_.data(), std::min(there, left)};
        const std::size_t wanted = std::min(end.empty() ? seen.size() : seen.find(end), seen.size());
        if (wanted == 0) {
            return;
        }
        const std::size_t count = read_some(guest_.get(), from_guest_, wanted).value_or(0);
        took({from_guest_.data(), count});
        left = wanted < seen.size() ? 0 : left - count;
    }
}

void Console::system_runs(bool runs) {
    shown_.system_runs(runs);
    if (!runs) {
        text_ = {};
    }
}

void Console::attach() {
    raw_.emplace(STDIN_FILENO);
    shown_.forget_skipped();  // what nobody saw has changed nothing
    mode_ = ConsoleMode::attached;
}

void Console::detach() {
    release_terminal();
    handlers_.on_attach(false);
    mode_ = ConsoleMode::silent;
}

void Console::release_terminal() {
    if (is_shown()) {
        shown_.end();
    }
    raw_.reset();
}

void Console::suspend(bool stops) {
    if (mode_ != ConsoleMode::attached) {
        return;
    }
    if (stops) {
        release_terminal();
    } else if (!raw_ && is_our_terminal(STDIN_FILENO)) {
        raw_.emplace(STDIN_FILENO);
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
    type(keys.for_guest);
    if (keys.detach) {
        detach();
    }
}

void Console::type(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::send(guest_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) {
            return;
        }
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

}  // namespace vml
