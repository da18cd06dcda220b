// What a process that has locked itself down can still do, tried by a child that has.
#include <cerrno>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/process/lock_down.h"
#include "launcher/process/run_user.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_process.h"

namespace vml {
namespace {

using test::contains;
using test::Folder;

// How a child ended, and what it wrote to its standard error.
struct Ended {
    int code = -1;  // -1: by a signal
    std::string said;
};

Ended ended(const OwnRights& rights, const std::function<int()>& then) {
    test::Pipe output;
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::dup2(output.writer.get(), STDERR_FILENO);
        try {
            lock_down(rights);
        } catch (const Error& error) {
            const std::string text = to_text(error.faults().front());
            static_cast<void>(::write(STDERR_FILENO, text.data(), text.size()));
            ::_exit(99);
        }
        ::_exit(then());
    }
    output.writer.reset();
    Ended result{-1, test::read_all(output.reader.get())};
    const int status = test::reap(pid);
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return result;
}

int opening(const std::string& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    return fd >= 0 ? 0 : errno;
}

OwnRights reaching(std::vector<Reach> files) {
    return {std::nullopt,
            false,
            {.files = std::move(files), .tcp_ports = std::vector<std::uint16_t>{}, .signals = true}};
}

TEST_CASE("a system call that vm-launch never makes ends it, and is named") {
    struct Try {
        const char* call;
        std::function<int()> make;
    };
    const std::vector<Try> tries{
        {"execve", [] { return ::execl("/bin/true", "true", nullptr); }},
        {"ptrace", [] { return static_cast<int>(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }},
        {"setuid", [] { return ::setuid(0); }},
        {"chroot", [] { return ::chroot("/"); }},
        {"socket", [] { return ::socket(AF_INET, SOCK_STREAM, 0); }},
    };
    for (const Try& each : tries) {
        const Ended result = ended(reaching({}), each.make);
        INFO(each.call << ": " << result.said);
        CHECK(result.code == 1);
        CHECK(contains(result.said,
                       std::string{"the system call "} + each.call + " is none that vm-launch makes"));
        CHECK(contains(result.said, "hint: report it"));
    }
}

TEST_CASE("what is locked down opens the files of its list and no others") {
    const Folder folder;
    const std::string kept = folder.write("kept/file", "text");
    const std::string beside = folder.write("beside", "text");
    const std::vector<Reach> files{{folder.path() / "kept", FileUse::change}};
    const auto outcome = [&](const std::string& path, int flags) {
        return ended(reaching(files), [&] { return opening(path, flags); }).code;
    };
    CHECK(outcome(kept, O_RDWR) == 0);
    CHECK(outcome(kept + ".new", O_WRONLY | O_CREAT) == 0);
    CHECK(outcome(beside, O_RDONLY) == EACCES);
    CHECK(outcome(beside + ".new", O_WRONLY | O_CREAT) == EACCES);
    CHECK(outcome("/etc/passwd", O_RDONLY) == EACCES);
    const auto renamed = [&] { return ::rename((kept + ".new").c_str(), kept.c_str()) == 0 ? 0 : errno; };
    CHECK(ended(reaching(files), renamed).code == 0);
    const auto stolen = [&] { return ::rename(kept.c_str(), beside.c_str()) == 0 ? 0 : errno; };
    CHECK(ended(reaching(files), stolen).code != 0);
}

TEST_CASE("it can be the VM's user, for good") {
    if (::geteuid() != 0) {
        return;  // only root can become somebody else
    }
    OwnRights rights = reaching({{"/proc", FileUse::read}});
    rights.user = own_user(first_own_uid);
    const auto others = [] {
        const bool is_it =
            ::getuid() == first_own_uid && ::geteuid() == first_own_uid && ::getgid() == first_own_uid;
        return is_it && ::kill(::getppid(), 0) != 0 && errno == EPERM ? 0 : 1;
    };
    CHECK(ended(rights, others).code == 0);
}

}  // namespace
}  // namespace vml
