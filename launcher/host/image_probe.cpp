#include "launcher/host/image_probe.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/process/spawn.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

// Every header that QEMU probes for, with what it needs to be opened, lies in the first cluster, of at most
// 2 MiB (QEMU docs/interop/qcow2.txt), or region (VHDX).
constexpr std::size_t head_size = std::size_t{4} << 20;
constexpr std::chrono::seconds time_limit{20};
constexpr rlim_t cpu_seconds = 10;
constexpr rlim_t memory_bytes = rlim_t{1} << 30;
constexpr int probe_fd = 3;  // of the child
constexpr std::size_t longest_answer = std::size_t{1} << 20;

// A file in memory as long as the image, with the image's beginning and holes for the rest.
OwnedFd copy_of_head(int image, off_t size, const std::optional<RunUser>& user) {
    OwnedFd copy{::memfd_create("vm-launch", MFD_CLOEXEC)};
    std::vector<char> head(head_size);
    const ssize_t got = ::pread(image, head.data(), head.size(), 0);
    const bool done =
        copy && got >= 0 && ::pwrite(copy.get(), head.data(), static_cast<std::size_t>(got), 0) == got &&
        ::ftruncate(copy.get(), size) == 0 && (!user || ::fchown(copy.get(), user->uid, user->gid) == 0);
    return done ? std::move(copy) : OwnedFd{};
}

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

std::string ask(const fs::path& program, const OwnedFd& copy, const std::optional<RunUser>& user) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw Error{{"cannot ask qemu-img", errno_text(errno), "", ExitCode::host}};
    }
    const OwnedFd read_end{ends[0]};
    OwnedFd write_end{ends[1]};
    const pid_t pid = spawn({program,
                             {"info", "--output=json", "-U", fmt::format("/proc/self/fd/{}", probe_fd)},
                             {{copy.get(), probe_fd}},
                             write_end.get(),
                             user});
    limit(pid);
    write_end.reset();
    std::string answer = read_all(read_end.get());
    ::kill(pid, SIGKILL);  // it has closed its output or overstayed its time
    ::waitpid(pid, nullptr, 0);
    return answer;
}

ImageFacts ask_about(const fs::path& program, const fs::path& image, int fd, off_t size,
                     const std::optional<RunUser>& user) {
    OwnedFd copy = copy_of_head(fd, size, user);
    if (!copy) {
        return {.fault = unknown_format(image, errno_text(errno))};
    }
    return image_facts_in(ask(program, copy, user), image);
}

}  // namespace

ImageFacts probe_image(const std::optional<fs::path>& program, const fs::path& image,
                       const std::optional<RunUser>& user) {
    const OwnedFd fd{::open(image.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) {
        return {.fault = unknown_format(image, errno_text(errno))};
    }
    if (S_ISBLK(status.st_mode)) {
        return {.format = "raw"};
    }
    if (!program) {
        return {.fault = Fault{"qemu-img, which tells an image's format, is not installed",
                               "it is in no folder of $PATH",
                               "apt-get install qemu-utils, or say --disk-format raw, or --disk-format qcow2",
                               ExitCode::host}};
    }
    try {
        return ask_about(*program, image, fd.get(), status.st_size, user);
    } catch (const Error& error) {
        return {.fault = error.faults().front()};
    }
}

}  // namespace vml
