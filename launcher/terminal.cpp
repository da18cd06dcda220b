#include "launcher/terminal.h"

#include <cerrno>

#include <fcntl.h>
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
