#include "launcher/host/asked_program.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

namespace vml {

namespace {

constexpr std::chrono::seconds time_limit{20};
constexpr rlim_t cpu_seconds = 10;
constexpr rlim_t memory_bytes = rlim_t{1} << 30;
constexpr std::size_t longest_answer = std::size_t{1} << 20;

// Reads to the end, or until the time is over.
std::string read_all(int fd) {
    const auto deadline = std::chrono::steady_clock::now() + time_limit;
    std::string text;
    std::array<char, 4096> bytes{};
    while (text.size() < longest_answer) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        pollfd ready{fd, POLLIN, 0};
        if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) {
            break;
        }
        const ssize_t got = ::read(fd, bytes.data(), bytes.size());
        if (got <= 0) {
            break;
        }
        text.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return text;
}

void limit(pid_t pid) {
    const rlimit cpu{cpu_seconds, cpu_seconds};
    const rlimit memory{memory_bytes, memory_bytes};
    ::prlimit(pid, RLIMIT_CPU, &cpu, nullptr);
    ::prlimit(pid, RLIMIT_AS, &memory, nullptr);
}

}  // namespace

std::string answer_of(SpawnRequest request) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw Error{{fmt::format("cannot ask {}", request.program.filename().string()), errno_text(errno), "",
                     ExitCode::host}};
    }
    const OwnedFd read_end{ends[0]};
    OwnedFd write_end{ends[1]};
    request.output = write_end.get();
    const pid_t pid = spawn(request);
    limit(pid);
    write_end.reset();
    std::string answer = read_all(read_end.get());
    ::kill(pid, SIGKILL);  // it has closed its output or overstayed its time
    ::waitpid(pid, nullptr, 0);
    return answer;
}

}  // namespace vml
