#include "launcher/testing/guard.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <memory>
#include <string>
#include <system_error>
#include <tuple>

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

// Of this process's group: the next that lives. None: it is the last.
OwnedFd another_of_group() {
    const pid_t own = ::getpid();
    std::error_code error;
    for (fs::directory_iterator entry{"/proc", error}, end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        pid_t pid = 0;
        std::from_chars(name.data(), std::to_address(name.end()), pid);
        if (pid <= 0 || pid == own || ::getpgid(pid) != own) {
            continue;
        }
        OwnedFd process{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U))};
        pollfd ended{process.get(), POLLIN, 0};
        if (process && ::poll(&ended, 1, 0) == 0) {  // else a zombie
            return process;
        }
    }
    return {};
}

void end_group(const fs::path& folder) {
    constexpr int longest_stop = 60'000;  // milliseconds
    ::kill(0, SIGTERM);
    if (folder.empty()) {
        return;
    }
    while (const OwnedFd process = another_of_group()) {
        pollfd ended{process.get(), POLLIN, 0};
        if (::poll(&ended, 1, longest_stop) == 0) {
            break;
        }
    }
    std::error_code ignored;
    fs::remove_all(folder, ignored);
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
