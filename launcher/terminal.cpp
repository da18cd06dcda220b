#include "launcher/terminal.h"

#include <cerrno>

#include <unistd.h>

#include "base/error.h"

namespace vml {

bool is_our_terminal(int fd) {
    return ::isatty(fd) == 1 && ::tcgetpgrp(fd) == ::getpgrp();
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
