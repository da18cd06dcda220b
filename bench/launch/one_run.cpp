// One start and stop of a VM, timed from outside; the figures go to standard output as one JSON object.
//
//   one_run [--peak] [--qmp THEIRS=OURS] [--pair THEIRS=OURS]… [--file NUMBER=PATH]… [--check COMMAND]…
//           launcher|shell|direct WATCH PROGRAM ARGS…
//
// The VM's QEMU is told (by the caller, in ARGS) to connect a second QMP monitor to the Unix socket WATCH, on
// which this program listens. So all sides are watched the same way and none of them has to say anything: the
// guest runs at the time that QEMU itself wrote into its RESUME event. This program then sends `quit`, also
// the same for all, and the end is the moment at which PROGRAM can be reaped.
//
//   launcher  PROGRAM is vm-launch, which makes its sockets and does its handshake itself.
//   shell     PROGRAM is a shell; it is born with what it could not make: the two ends of each planned socket
//             pair (--qmp, the monitor's, and --pair) at the numbers THEIRS, which QEMU is told, and OURS;
//             and every --file, open at its number. It pays nothing for them.
//   direct    PROGRAM is QEMU, born in the same way, and this program does the handshake, each --check
//   included:
//             nothing stands between, so this is the floor.
//
// Events go only to a monitor that has been greeted back. Should this program be scheduled so late that the
// guest starts before, it misses RESUME and exits with 3: repeat the run.
//
// --peak also gives the peak RSS of PROGRAM without its children. It is read at the last moment at which it
// exists, when PROGRAM is about to exit, by tracing; the times of such a run are worth nothing.
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr int answer_limit_ms = 30'000;
constexpr int resume_limit_ms = 5'000;
constexpr int missed_status = 3;

struct Missed {};

void demand(bool holds, const std::string& what) {
    if (!holds) {
        throw std::runtime_error{what + ": " + std::strerror(errno)};
    }
}

std::int64_t nanoseconds(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// What the child writes just before it becomes PROGRAM, in memory that it shares with us.
struct Birth {
    std::int64_t monotonic;
    std::int64_t realtime;
    std::int64_t cpu;
};

struct File {
    int number;
    std::string path;
};

struct Pair {
    int theirs;
    int ours;
};

struct Options {
    std::string side;
    bool peak = false;
    std::vector<Pair> pairs;  // the monitor's first
    std::vector<File> files;
    std::vector<std::string> checks;  // QMP commands
    std::string watch;
    std::vector<char*> argv;  // null-terminated
};

File parse_file(const std::string& text) {
    const std::size_t equals = text.find('=');
    return {std::stoi(text.substr(0, equals)), text.substr(equals + 1)};
}

Pair parse_pair(const std::string& text) {
    const auto [theirs, ours] = parse_file(text);
    return {theirs, std::stoi(ours)};
}

Options parse(int argc, char** argv) {
    const std::vector<std::string> words{argv, argv + argc};
    Options options;
    std::size_t at = 1;
    for (; at + 1 < words.size() && words[at].starts_with("--"); ++at) {
        if (words[at] == "--peak") {
            options.peak = true;
        } else if (words[at] == "--qmp") {
            options.pairs.insert(options.pairs.begin(), parse_pair(words[++at]));
        } else if (words[at] == "--pair") {
            options.pairs.push_back(parse_pair(words[++at]));
        } else if (words[at] == "--file") {
            options.files.push_back(parse_file(words[++at]));
        } else if (words[at] == "--check") {
            options.checks.push_back(words[++at]);
        }
    }
    if (at + 3 > words.size()) {
        throw std::runtime_error{"too few words: the head of this file's source has the usage"};
    }
    options.side = words[at];
    options.watch = words[at + 1];
    options.argv.assign(argv + at + 2, argv + argc);
    options.argv.push_back(nullptr);
    return options;
}

int listen_at(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        throw std::runtime_error{"the path of the watch socket is too long"};
    }
    path.copy(address.sun_path, path.size());
    ::unlink(path.c_str());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    demand(fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
               ::chmod(path.c_str(), 0666) == 0 && ::listen(fd, 1) == 0,
           path);  // QEMU may run as another user
    return fd;
}

// Away from the numbers that the child is to get.
int moved_up(int fd) {
    constexpr int clear_of_all = 300;
    const int moved = ::fcntl(fd, F_DUPFD_CLOEXEC, clear_of_all);
    demand(fd >= 0 && moved >= 0, "cannot open or move a descriptor");
    ::close(fd);
    return moved;
}

struct Placed {
    int fd;
    int number;  // in the child
};

// What the shell and QEMU are born with.
struct Inheritance {
    std::vector<Placed> for_qemu;
    std::vector<Placed> for_shell;
    int qmp = -1;  // our end, for the side that has nobody else
};

Inheritance make_inheritance(const Options& options) {
    Inheritance made;
    for (const auto& [theirs, ours] : options.pairs) {
        std::array<int, 2> ends{};
        demand(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0, "socketpair");
        made.for_qemu.push_back({moved_up(ends[1]), theirs});
        made.for_shell.push_back({moved_up(ends[0]), ours});
    }
    made.qmp = made.for_shell.at(0).fd;
    for (const File& file : options.files) {
        made.for_qemu.push_back(
            {moved_up(::open(file.path.c_str(), O_CLOEXEC | (file.path == "/dev/null" ? O_RDWR : O_RDONLY))),
             file.number});
    }
    return made;
}

void place(const std::vector<Placed>& descriptors) {
    for (const Placed& descriptor : descriptors) {
        ::dup2(descriptor.fd, descriptor.number);
    }
}

[[noreturn]] void become_program(const Options& options, const Inheritance& inheritance, Birth& birth) {
    // vm-launch gives its QEMU a session, and where the kernel schedules by session (autogroups), that
    // decides its share of a busy machine: so every side has one that nobody else is in.
    ::setsid();
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    ::dup2(null, STDIN_FILENO);
    ::dup2(null, STDOUT_FILENO);
    place(inheritance.for_qemu);
    if (options.side == "shell") {
        place(inheritance.for_shell);
    }
    if (options.peak) {
        ::raise(SIGSTOP);  // until it is traced
    }
    birth = {nanoseconds(CLOCK_MONOTONIC), nanoseconds(CLOCK_REALTIME),
             nanoseconds(CLOCK_PROCESS_CPUTIME_ID)};
    ::execv(options.argv[0], options.argv.data());
    ::_exit(127);
}

void send_text(int fd, std::string_view text) {
    demand(::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()), "send");
}

// A QMP monitor's lines, one after the other.
class Lines {
  public:
    explicit Lines(int fd) : fd_{fd} {}

    std::string next() {
        std::size_t end = 0;
        while ((end = held_.find('\n')) == std::string::npos) {
            pollfd ready{fd_, POLLIN, 0};
            if (::poll(&ready, 1, resume_limit_ms) <= 0) {
                throw Missed{};
            }
            std::array<char, 4096> bytes{};
            const ssize_t got = ::read(fd_, bytes.data(), bytes.size());
            if (got <= 0) {
                throw std::runtime_error{"QEMU closed its monitor early"};
            }
            held_.append(bytes.data(), static_cast<std::size_t>(got));
        }
        std::string line = held_.substr(0, end);
        held_.erase(0, end + 1);
        return line;
    }

    std::string next_with(std::string_view text) {
        std::string line;
        do {
            line = next();
        } while (line.find(text) == std::string::npos);
        return line;
    }

  private:
    int fd_;
    std::string held_;
};

int accept_watch(int listener) {
    pollfd ready{listener, POLLIN, 0};
    if (::poll(&ready, 1, answer_limit_ms) <= 0) {
        throw std::runtime_error{"QEMU did not connect to the watch socket"};
    }
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    demand(fd >= 0, "accept");
    return fd;
}

std::int64_t number_after(const std::string& line, std::string_view key) {
    const std::size_t at = line.find(key);
    if (at == std::string::npos) {
        throw std::runtime_error{"no " + std::string{key} + " in " + line};
    }
    return std::strtoll(line.c_str() + at + key.size(), nullptr, 10);
}

std::int64_t time_of_event(const std::string& line) {
    return number_after(line, "\"seconds\": ") * 1'000'000'000 +
           number_after(line, "\"microseconds\": ") * 1'000;
}

// The same commands as vm-launch and the shell, for the side that has nobody to send them.
void shake_hands(int fd, const std::vector<std::string>& checks) {
    Lines lines{fd};
    send_text(fd, "{\"execute\":\"qmp_capabilities\"}\n");
    lines.next_with("\"return\"");
    for (const std::string& check : checks) {
        send_text(fd, check + "\n");
        lines.next_with("\"return\"");
    }
    send_text(fd, "{\"execute\":\"cont\"}\n");
}

// CPU time in nanoseconds of the process alone, also when it waits to be reaped (its threads that ended
// before are not in it: vm-launch and the shell have none).
std::int64_t cpu_of(pid_t pid) {
    std::ifstream file{"/proc/" + std::to_string(pid) + "/schedstat"};
    std::int64_t time = -1;
    file >> time;
    return time;
}

std::int64_t peak_rss_kib(pid_t pid) {
    std::ifstream file{"/proc/" + std::to_string(pid) + "/status"};
    for (std::string word; file >> word;) {
        if (word == "VmHWM:") {
            std::int64_t kib = 0;
            file >> kib;
            return kib;
        }
    }
    return -1;
}

// From here on the child runs under our eyes until it is about to exit.
void trace(pid_t child) {
    int status = 0;
    demand(::waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status), "waitpid");
    demand(::ptrace(PTRACE_SEIZE, child, nullptr, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL) == 0, "ptrace");
    ::kill(child, SIGCONT);
}

// Passes signals on until the child's exit, and gives its peak RSS there.
std::int64_t peak_rss_at_exit(pid_t child) {
    std::int64_t peak = -1;
    int status = 0;
    while (peak < 0) {
        demand(::waitpid(child, &status, 0) == child, "waitpid");
        if (!WIFSTOPPED(status)) {
            throw std::runtime_error{"the traced program ended too soon"};
        }
        int signal = WSTOPSIG(status);
        if (status >> 8 == (SIGTRAP | (PTRACE_EVENT_EXIT << 8))) {
            peak = peak_rss_kib(child);
            signal = 0;
        } else if (status >> 16 != 0) {
            signal = 0;  // a stop that is no signal's
        }
        ::ptrace(PTRACE_CONT, child, nullptr, reinterpret_cast<void*>(static_cast<std::intptr_t>(signal)));
    }
    return peak;
}

// The tracer must answer the child's stops while QEMU starts, so the monitor is watched by a process of its
// own.
pid_t watch_aside(int listener) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        const int fd = accept_watch(listener);
        send_text(fd, "{\"execute\":\"qmp_capabilities\"}\n");
        try {
            Lines{fd}.next_with("\"RESUME\"");
        } catch (const Missed&) {
            // no matter: nothing is timed here
        }
        send_text(fd, "{\"execute\":\"quit\"}\n");
        std::array<char, 4096> bytes{};
        while (::read(fd, bytes.data(), bytes.size()) > 0) {
        }
        ::_exit(0);
    }
    return pid;
}

struct Resume {
    std::int64_t event = 0;  // QEMU's own time of it
    std::int64_t seen = 0;
};

// Sees the guest start, and has QEMU quit.
Resume watch_run(const Options& options, int listener, int qmp) {
    const int watch = accept_watch(listener);
    send_text(watch, "{\"execute\":\"qmp_capabilities\"}\n");
    if (options.side == "direct") {
        shake_hands(qmp, options.checks);
    }
    const std::string line = Lines{watch}.next_with("\"RESUME\"");
    const std::int64_t seen = nanoseconds(CLOCK_MONOTONIC);
    send_text(watch, "{\"execute\":\"quit\"}\n");
    return {time_of_event(line), seen};
}

std::int64_t peak_of_run(int listener, pid_t child) {
    trace(child);
    const pid_t watcher = watch_aside(listener);
    const std::int64_t peak = peak_rss_at_exit(child);
    ::waitpid(watcher, nullptr, 0);
    return peak;
}

void run(const Options& options) {
    const int listener = listen_at(options.watch);
    auto* birth = static_cast<Birth*>(
        ::mmap(nullptr, sizeof(Birth), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    demand(birth != MAP_FAILED, "mmap");
    const Inheritance inheritance = options.side == "launcher" ? Inheritance{} : make_inheritance(options);
    const pid_t child = ::fork();
    demand(child >= 0, "fork");
    if (child == 0) {
        become_program(options, inheritance, *birth);
    }
    Resume resume;
    std::int64_t peak = -1;
    try {
        if (options.peak) {
            peak = peak_of_run(listener, child);
        } else {
            resume = watch_run(options, listener, inheritance.qmp);
        }
    } catch (...) {
        ::kill(-child, SIGKILL);  // vm-launch takes its QEMU along
        throw;
    }
    siginfo_t info{};
    demand(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0, "waitid");
    const std::int64_t end = nanoseconds(CLOCK_MONOTONIC);
    const std::int64_t cpu = cpu_of(child) - birth->cpu;
    int status = 0;
    ::waitpid(child, &status, 0);
    ::unlink(options.watch.c_str());
    std::cout << "{\"status\": " << status << ", \"resume_ns\": " << resume.event - birth->realtime
              << ", \"resume_seen_ns\": " << resume.seen - birth->monotonic
              << ", \"exit_ns\": " << end - birth->monotonic << ", \"cpu_ns\": " << cpu
              << ", \"peak_kib\": " << peak << "}\n";
}

}  // namespace

int main(int argc, char** argv) {
    try {
        run(parse(argc, argv));
        return 0;
    } catch (const Missed&) {
        std::cerr << "one_run: no RESUME was seen\n";
        return missed_status;
    } catch (const std::exception& error) {
        std::cerr << "one_run: " << error.what() << "\n";
        return 1;
    }
}
