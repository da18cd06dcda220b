#include "launcher/process/spawn.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <system_error>
#include <tuple>
#include <vector>

#if __has_include(<boost/process/v1/child.hpp>)  // Boost 1.86 and later
#include <boost/process/v1/args.hpp>
#include <boost/process/v1/child.hpp>
#include <boost/process/v1/error.hpp>
#include <boost/process/v1/exe.hpp>
#include <boost/process/v1/extend.hpp>
namespace bp = boost::process::v1;
#else
#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/error.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
namespace bp = boost::process;
#endif
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "launcher/process/child_environment.h"
#include "launcher/process/landlock.h"

namespace vml {

namespace {

// Where in the child a start failed. Boost's own report of a failed set-up step is unusable (the child runs
// all the same, or the message is lost), so steps go through a pipe of ours.
enum class Step : int {
    signals,
    session,
    standard_io,
    close_others,
    inherit,
    limits,
    user,
    privileges,
    landlock,
    parent_death,
    exec
};

constexpr std::array<std::string_view, 11> step_names{"resetting signals",
                                                      "making a session",
                                                      "redirecting standard output",
                                                      "closing descriptors",
                                                      "keeping a descriptor",
                                                      "limiting files and processes",
                                                      "changing the user",
                                                      "giving up privileges",
                                                      "entering its Landlock domain",
                                                      "tying the child to its parent",
                                                      "running the program"};

// What the child's set-up needs room for: made before fork, since the child may not allocate.
struct Room {
    int report = -1;                 // write end of the pipe that a failed step is reported through
    int null_input = -1;             // /dev/null
    std::vector<int> moved;          // one for each inherited descriptor
    std::vector<char*> environment;  // ended by a null pointer
    int ruleset = -1;                // of its Landlock domain; -1: it enters none
    std::uint64_t descriptors = 0;   // what that domain lets it do with these, by name
};

struct Report {
    Step step;
    int error_number;
};

// on_exec_…: in the child between fork and exec, nothing but system calls.
class ChildSetup : public bp::extend::handler {
  public:
    ChildSetup(const SpawnRequest& request, Room& room, pid_t parent)
        : request_{request}, room_{room}, parent_{parent} {}

    template <typename Executor>
    void on_setup(Executor& executor) const {
        executor.env = room_.environment.data();
    }

    template <typename Executor>
    void on_exec_setup(Executor& /*executor*/) const {
        need(Step::signals, reset_signals());
        need(Step::session, ::setsid() >= 0);
        need(Step::standard_io, ::dup2(room_.null_input, STDIN_FILENO) >= 0 &&
                                    ::dup2(request_.output, STDOUT_FILENO) >= 0 &&
                                    ::dup2(request_.output, STDERR_FILENO) >= 0);
        // Marked, not closed: the pipe for the report must live until exec.
        need(Step::close_others, ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0);
        need(Step::inherit, place_inherited());
        need(Step::limits, limit_resources());
        need(Step::user, !request_.user || become(*request_.user));
        need(Step::privileges, drop_capabilities() && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        need(Step::landlock,
             room_.ruleset < 0 || enter_landlock(room_.ruleset, room_.descriptors, last_inherited()));
        // Last: a change of user would clear it. The parent may have died just before.
        need(Step::parent_death, ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent_);
    }

    template <typename Executor>
    void on_exec_error(Executor& /*executor*/, const std::error_code& error) const {
        fail(Step::exec, error.value());
    }

  private:
    [[nodiscard]] int last_inherited() const {
        int last = STDERR_FILENO;
        for (const Inherited& fd : request_.inherited) {
            last = std::max(last, fd.childs);
        }
        return last;
    }

    static bool move_above(int& fd, int free) {
        fd = ::fcntl(fd, F_DUPFD_CLOEXEC, free);
        return fd >= 0;
    }

    // First everything goes above the numbers that are wanted, the report's pipe too: nothing is overwritten
    // that is still needed. Boost's own pipe may be, which is not written to, and at whose end Boost waits no
    // longer.
    [[nodiscard]] bool place_inherited() const {
        const int free = last_inherited() + 1;
        if (!move_above(room_.report, free) || (room_.ruleset >= 0 && !move_above(room_.ruleset, free))) {
            return false;
        }
        for (std::size_t i = 0; i < request_.inherited.size(); ++i) {
            const int ours = request_.inherited[i].ours;
            room_.moved[i] = ours >= free ? ours : ::fcntl(ours, F_DUPFD_CLOEXEC, free);
            if (room_.moved[i] < 0) {
                return false;
            }
        }
        for (std::size_t i = 0; i < request_.inherited.size(); ++i) {
            if (::dup2(room_.moved[i], request_.inherited[i].childs) < 0) {
                return false;
            }
        }
        return true;
    }

    // No core file, which would hold the guest's memory. Event descriptors of many queues need more files
    // than the usual soft limit. Threads are counted by user, so only one that is this VM's alone may be
    // limited.
    [[nodiscard]] bool limit_resources() const {
        constexpr rlim_t enough_files = 16384;
        constexpr rlim_t enough_threads = 4096;
        rlimit files{};
        if (::prlimit(0, RLIMIT_NOFILE, nullptr, &files) != 0) {
            return false;
        }
        files.rlim_max = std::min(files.rlim_max, std::max(files.rlim_cur, enough_files));
        files.rlim_cur = files.rlim_max;
        return set_limit(RLIMIT_NOFILE, files) && set_limit(RLIMIT_CORE, {0, 0}) &&
               (!request_.user || !request_.user->own || lower_limit(RLIMIT_NPROC, enough_threads));
    }

    static bool set_limit(__rlimit_resource resource, const rlimit& limit) {
        return ::prlimit(0, resource, &limit, nullptr) == 0;
    }

    static bool lower_limit(__rlimit_resource resource, rlim_t most) {
        rlimit limit{};
        if (::prlimit(0, resource, nullptr, &limit) != 0) {
            return false;
        }
        limit.rlim_max = std::min(limit.rlim_max, most);
        limit.rlim_cur = std::min(limit.rlim_cur, limit.rlim_max);
        return set_limit(resource, limit);
    }

    static bool reset_signals() {
        for (int number = 1; number < NSIG; ++number) {
            std::ignore = ::signal(number, SIG_DFL);  // refused for those that cannot be changed
        }
        sigset_t none;
        sigemptyset(&none);
        return ::pthread_sigmask(SIG_SETMASK, &none, nullptr) == 0;
    }

    // The bounding set goes first: that needs a capability which the change of user takes away.
    static bool become(const RunUser& user) {
        for (unsigned long capability = 0; capability <= CAP_LAST_CAP; ++capability) {
            if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno == EPERM) {
                break;  // a container's root may lack CAP_SETPCAP; no_new_privs keeps exec from giving any
            }
        }
        const bool done = ::setgroups(user.groups.size(), user.groups.data()) == 0 &&
                          ::setresgid(user.gid, user.gid, user.gid) == 0 &&
                          ::setresuid(user.uid, user.uid, user.uid) == 0;
        if (done && user.uid != 0 && ::setresuid(0, 0, 0) == 0) {
            errno = ENOTRECOVERABLE;  // there is a way back, so nothing was given up
            return false;
        }
        return done;
    }

    // Nothing effective, permitted or inheritable, and nothing ambient (capabilities(7)).
    static bool drop_capabilities() {
        __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
        const std::array<__user_cap_data_struct, 2> none{};
        ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        return ::syscall(SYS_capset, &header, none.data()) == 0;
    }

    void need(Step step, bool done) const {
        if (!done) {
            fail(step, errno);
        }
    }

    [[noreturn]] void fail(Step step, int error_number) const {
        const Report report{step, error_number};
        [[maybe_unused]] const ssize_t written = ::write(room_.report, &report, sizeof report);
        constexpr int cannot_run = 127;
        ::_exit(cannot_run);
    }

    const SpawnRequest& request_;
    Room& room_;
    pid_t parent_;
};

constexpr std::string_view installed_whole = "check that the program is installed whole and may be run";

Error cannot_start(const SpawnRequest& request, std::string_view step, const std::string& why,
                   std::string_view hint = installed_whole) {
    return Error{{fmt::format("cannot start {}", request.program.string()), fmt::format("{}: {}", step, why),
                  std::string{hint}, ExitCode::qemu}};
}

// In its domain it may run what lies in its own folder and where Debian has libraries: no script's
// interpreter and no link's target elsewhere.
std::string_view hint_for(const Report& report, bool confined) {
    if (confined && report.step == Step::landlock) {
        return "--no-landlock runs QEMU without one";
    }
    if (confined && report.step == Step::exec && report.error_number == EACCES) {
        return "it may run nothing outside of its own folder and of /usr, be it a link's target or a "
               "script's "
               "interpreter: --no-landlock lets it, if the program is installed whole and may be run";
    }
    return installed_whole;
}

}  // namespace

pid_t spawn(const SpawnRequest& request) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw cannot_start(request, "making a pipe", errno_text(errno));
    }
    const OwnedFd read_end{ends[0]};
    OwnedFd write_end{ends[1]};
    const OwnedFd null_input{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    if (!null_input) {
        throw cannot_start(request, "opening /dev/null", errno_text(errno));
    }
    std::error_code error;
    std::vector<std::string> environment = child_environment(environ);
    const LandlockDomain domain =
        request.confinement ? landlock_domain(*request.confinement) : LandlockDomain{};
    Room room{write_end.get(),      null_input.get(),  std::vector<int>(request.inherited.size(), -1), {},
              domain.ruleset.get(), domain.descriptors};
    for (std::string& variable : environment) {
        room.environment.push_back(variable.data());
    }
    room.environment.push_back(nullptr);
    bp::child child{bp::exe = request.program.string(), bp::args = request.args,
                    ChildSetup{request, room, ::getpid()}, error};
    child.detach();  // reaped by the one reaper of the event loop
    write_end.reset();
    Report report{};
    if (::read(read_end.get(), &report, sizeof report) == static_cast<ssize_t>(sizeof report)) {
        throw cannot_start(request, step_names.at(static_cast<std::size_t>(report.step)),
                           errno_text(report.error_number), hint_for(report, room.ruleset >= 0));
    }
    if (error) {
        throw cannot_start(request, "forking", error.message());
    }
    return child.id();
}

}  // namespace vml
