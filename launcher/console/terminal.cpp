#include "launcher/console/terminal.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/error.h"

namespace vml {

void hold_standard_streams() {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        // Read-only: writing to it fails, as it should.
        if (::fcntl(fd, F_GETFD) == -1 && ::open("/dev/null", O_RDONLY) != fd) {
            return;  // no /dev/null here: nothing that can be done
        }
    }
}

bool is_terminal(int fd) {
    return ::isatty(fd) == 1;
}

bool is_our_terminal(int fd) {
    return is_terminal(fd) && ::tcgetpgrp(fd) == ::getpgrp();
}

TerminalSize size_of_terminal(int fd) {
    winsize size{};
    return ::ioctl(fd, TIOCGWINSZ, &size) == 0 ? TerminalSize{size.ws_col, size.ws_row} : TerminalSize{};
}

screen::OutputKind output_kind(int fd, bool keyboard, ConsoleBytes bytes) {
    screen::OutputKind kind{is_terminal(fd) && bytes != ConsoleBytes::plain, keyboard,
                            bytes == ConsoleBytes::raw};
    if (const int rows = size_of_terminal(fd).rows; rows > 0) {
        kind.rows = rows;
    }
    return kind;
}

Sharing sharing_of(int out, int err) {
    struct stat first {};
    struct stat second {};
    if (::fstat(out, &first) != 0 || ::fstat(err, &second) != 0) {
        return Sharing::apart;
    }
    if (first.st_dev == second.st_dev && first.st_ino == second.st_ino) {
        return Sharing::one_place;
    }
    if (::isatty(out) == 1 && ::isatty(err) == 1) {
        // One terminal has several names; major 5 is /dev/tty and its like (admin-guide/devices.txt).
        constexpr unsigned aliases = 5;
        const bool alias = major(first.st_rdev) == aliases || major(second.st_rdev) == aliases;
        return alias || first.st_rdev == second.st_rdev ? Sharing::one_place : Sharing::apart;
    }
    const auto is_stream = [](const struct stat& file) {
        return S_ISFIFO(file.st_mode) || S_ISSOCK(file.st_mode);
    };
    return is_stream(first) && is_stream(second) ? Sharing::perhaps : Sharing::apart;
}

RawTerminal::RawTerminal(int fd) : fd_{fd} {
    if (::tcgetattr(fd_, &before_) != 0) {
        throw Error{{"cannot attach the terminal", errno_text(errno), "use --no-console", ExitCode::failed}};
    }
    termios raw = before_;
    ::cfmakeraw(&raw);
    raw.c_oflag |= OPOST;
    if (::tcsetattr(fd_, TCSANOW, &raw) != 0) {
        throw Error{{"cannot attach the terminal", errno_text(errno), "use --no-console", ExitCode::failed}};
    }
}

RawTerminal::~RawTerminal() {
    ::tcsetattr(fd_, TCSANOW, &before_);
}

}  // namespace vml
