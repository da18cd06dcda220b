#include "launcher/start/event_target.h"

#include <array>
#include <cerrno>
#include <optional>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

namespace vml {

namespace {

// As every line of events begins (events::line_of).
constexpr std::string_view beginning = "{\"v\":";

struct Obstacle {
    std::string why;
    std::string hint;
};

std::string hint_for(int error) {
    return error == EISDIR  ? "name a file in it"
           : error == ENXIO ? "a socket is not opened by its name: connect it yourself and give fd:N"
                            : "check the folder and its mode";
}

// Events of an earlier run make room; whatever else a file holds may be all there is of it.
std::optional<Obstacle> why_not_emptied(int file) {
    struct stat status {};
    if (::fstat(file, &status) != 0) {
        return Obstacle{errno_text(errno), ""};
    }
    if (S_ISBLK(status.st_mode)) {
        return Obstacle{"it is a block device", "name a file"};
    }
    if (!S_ISREG(status.st_mode) || status.st_size == 0) {
        return std::nullopt;
    }
    std::array<char, beginning.size()> held{};
    const OwnedFd reader{::open(fmt::format("/proc/self/fd/{}", file).c_str(), O_RDONLY | O_CLOEXEC)};
    const ssize_t count = ::pread(reader.get(), held.data(), held.size(), 0);
    if (count < 0) {
        return Obstacle{fmt::format("what it holds cannot be read: {}", errno_text(errno)),
                        "check its mode, or name a new file"};
    }
    if (std::string_view{held.data(), static_cast<std::size_t>(count)} != beginning) {
        return Obstacle{fmt::format("it holds something other than events ({} bytes)", status.st_size),
                        "name a new file, or one of events; delete this one if nobody needs it"};
    }
    return ::ftruncate(file, 0) == 0 ? std::nullopt : std::optional{Obstacle{errno_text(errno), ""}};
}

}  // namespace

OwnedFd open_event_file(const std::filesystem::path& path, std::string_view origin) {
    constexpr int flags = O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    constexpr mode_t readable = 0644;
    OwnedFd file{::open(path.c_str(), O_WRONLY | O_CREAT | flags, readable)};
    int error = file ? 0 : errno;
    if (error == ENXIO) {  // a pipe without a reader (fifo(7)): who reads it, too, needs none
        file.reset(::open(path.c_str(), O_RDWR | flags));
        error = file ? 0 : errno;
    }
    const auto obstacle =
        file ? why_not_emptied(file.get()) : std::optional{Obstacle{errno_text(error), hint_for(error)}};
    if (obstacle) {
        throw Error{{fmt::format("{}: cannot write the events to {}", origin, path.string()), obstacle->why,
                     obstacle->hint, ExitCode::host}};
    }
    return file;
}

OwnedFd given_descriptor(int number, std::string_view origin) {
    constexpr int first_own = 3;
    const int flags = ::fcntl(number, F_GETFL);
    const bool writable = flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && (flags & O_PATH) == 0;
    OwnedFd given{writable ? ::fcntl(number, F_DUPFD_CLOEXEC, first_own) : -1};
    if (!given) {
        throw Error{{fmt::format("{}: cannot write to descriptor {}", origin, number),
                     flags >= 0 ? "it is not open for writing" : errno_text(errno),
                     fmt::format("open it where vm-launch is started: {}>events.jsonl", number),
                     ExitCode::settings}};
    }
    if (number >= first_own) {
        OwnedFd{number}.reset();  // so that its reader sees the end of it
    }
    return given;
}

}  // namespace vml
