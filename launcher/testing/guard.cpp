#include "launcher/testing/guard.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <system_error>
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

namespace fs = std::filesystem;

// After the last process of the group; a zombie that nobody reaps is not waited for without end.
void take_away(const fs::path& folder, pid_t group) {
    constexpr timespec a_while{0, 100'000'000};
    constexpr int most = 600;
    for (int i = 0; i < most && ::kill(-group, 0) == 0; ++i) {
        ::nanosleep(&a_while, nullptr);
    }
    std::error_code ignored;
    fs::remove_all(folder, ignored);
}

void end_group(const fs::path& folder) {
    ::kill(0, SIGTERM);
    const pid_t group = ::getpid();
    if (!folder.empty() && ::fork() == 0 && ::setpgid(0, 0) == 0) {
        take_away(folder, group);
    }
}

// Keeps nothing open but the pipe, which is moved to descriptor 0.
[[noreturn]] void guard_group(int life, const fs::path& folder) {
    std::ignore = ::signal(SIGTERM, SIG_IGN);
    std::ignore = ::signal(SIGINT, SIG_IGN);
    std::ignore = ::signal(SIGHUP, SIG_IGN);
    std::ignore = ::signal(SIGQUIT, SIG_IGN);
    std::ignore = ::prctl(PR_SET_NAME, "vm-launch-guard");
    ssize_t dismissed = 0;
    if (::dup2(life, 0) == 0 && ::syscall(SYS_close_range, 1U, ~0U, 0U) == 0) {
        char nothing = 0;
        while ((dismissed = ::read(0, &nothing, 1)) < 0 && errno == EINTR) {
        }
    }
    if (dismissed != 1) {
        end_group(folder);
    }
    ::_exit(0);
}

}  // namespace

TestGuard::TestGuard(const fs::path& folder) {
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
        guard_group(watched.get(), folder);
    }
    ::setpgid(pid_, pid_);  // whoever of the two comes first
}

void TestGuard::dismiss() {
    std::ignore = ::write(life_.get(), "", 1);
}

TestGuard::~TestGuard() {
    life_.reset();
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace vml
