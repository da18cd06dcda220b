#include "launcher/start/event_target.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>

#include "base/error.h"

namespace vml {

OwnedFd open_event_file(const std::filesystem::path& path, std::string_view origin) {
    constexpr int flags = O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    constexpr mode_t readable = 0644;
    OwnedFd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | flags, readable)};
    if (!file && errno == ENXIO) {  // a pipe without a reader (fifo(7)): who reads it, too, needs none
        file.reset(::open(path.c_str(), O_RDWR | flags));
    }
    if (!file) {
        throw Error{{fmt::format("{}: cannot write the events to {}", origin, path.string()),
                     errno_text(errno), "check the folder and its mode", ExitCode::host}};
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
