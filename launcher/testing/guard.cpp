#include "launcher/testing/guard.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <tuple>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

namespace vml {

namespace {

// Keeps nothing open but the pipe, which is moved to descriptor 0.
[[noreturn]] void guard_group(int life) {
    std::ignore = ::signal(SIGTERM, SIG_IGN);
    std::ignore = ::signal(SIGINT, SIG_IGN);
    std::ignore = ::signal(SIGHUP, SIG_IGN);
    std::ignore = ::signal(SIGQUIT, SIG_IGN);
    std::ignore = ::prctl(PR_SET_NAME, "vm-launch-guard");
    if (::dup2(life, 0) == 0 && ::syscall(SYS_close_range, 1U, ~0U, 0U) == 0) {
        char nothing = 0;
        while (::read(0, &nothing, 1) < 0 && errno == EINTR) {
        }
    }
    ::kill(0, SIGTERM);
    ::_exit(0);
}

}  // namespace

TestGuard::TestGuard() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw Error{{"cannot start the test", errno_text(errno), "", ExitCode::failed}};
    }
    const OwnedFd watched{ends[0]};
    life_.reset(ends[1]);
    pid_ = ::fork();
    if (pid_ < 0) {
        throw Error{{"cannot start the test", errno_text(errno), "", ExitCode::failed}};
    }
    if (pid_ == 0) {
        if (::setpgid(0, 0) != 0) {
            ::_exit(1);
        }
        guard_group(watched.get());
    }
    ::setpgid(pid_, pid_);  // whoever of the two comes first
}

TestGuard::~TestGuard() {
    life_.reset();
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace vml
