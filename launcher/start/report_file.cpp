#include "launcher/start/report_file.h"

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "launcher/start/new_file.h"
#include "launcher/start/trusted_place.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

// A pipe or a device has no place beside it.
bool is_stream(const fs::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

Error refusal(const fs::path& path, std::string_view origin, std::string_view what, int error) {
    return Error{{fmt::format("{}: cannot write the {} {}", origin, what, path.string()), errno_text(error),
                  error == ENXIO   ? "nobody reads it yet: begin there"
                  : error == EPERM ? "a link or a pipe there may be another user's: name a folder of your own"
                                   : "check the folder and its mode",
                  ExitCode::host}};
}

bool can_change(int folder) {
    return ::faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) == 0;
}

ReportFile open_place(const fs::path& path, std::string_view origin, std::string_view what,
                      int stream_flags) {
    const auto refused = [&] { return refusal(path, origin, what, errno); };
    ReportFile file{.path = path};
    TrustedPlace place = [&] {
        try {
            return trusted_place(path);
        } catch (const std::system_error& error) {
            throw refusal(path, origin, what, error.code().value());
        }
    }();
    if (is_stream(path)) {
        const int flags = O_WRONLY | O_CLOEXEC | stream_flags;
        file.stream.reset(place.found ? ::openat(place.folder.get(), place.name.c_str(), flags | O_NOFOLLOW)
                                      : ::open(path.c_str(), flags));  // /dev/stdout is a link to no name
        if (!file.stream) {
            throw refused();
        }
        return file;
    }
    file.name = std::move(place.name);  // a link to a file stays one
    file.folder = std::move(place.folder);
    if (!can_change(file.folder.get()) ||
        (::unlinkat(file.folder.get(), file.name.c_str(), 0) != 0 && errno != ENOENT)) {
        throw refused();
    }
    return file;
}

void write_all(int to, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::write(to, text.data(), text.size());
        if (count < 0 && errno != EINTR) {
            throw std::system_error{errno, std::generic_category()};
        }
        text.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
    }
}

void copy_all(int from, int to) {
    constexpr std::size_t piece = 64U << 10U;
    std::string room(piece, '\0');
    ssize_t count = 0;
    for (off_t at = 0; (count = ::pread(from, room.data(), room.size(), at)) > 0; at += count) {
        write_all(to, std::string_view{room}.substr(0, static_cast<std::size_t>(count)));
    }
    if (count < 0) {
        throw std::system_error{errno, std::generic_category()};
    }
}

}  // namespace

std::vector<ReportFile> open_reports(const std::vector<fs::path>& paths, std::string_view origin) {
    std::vector<ReportFile> files;
    files.reserve(paths.size());
    for (const fs::path& path : paths) {
        files.push_back(open_place(path, origin, "report", 0));
    }
    return files;
}

void check_reports(const std::vector<ReportFile>& files, std::string_view origin) {
    for (const ReportFile& file : files) {
        if (!file.stream && !can_change(file.folder.get())) {
            throw refusal(file.path, origin, "report", errno);
        }
    }
}

OwnedFd open_console_log(const fs::path& path, std::string_view origin) {
    constexpr std::string_view what = "console log";
    constexpr mode_t own = 0600;  // installers print passwords
    ReportFile place = open_place(path, origin, what, O_NONBLOCK | O_NOCTTY);
    if (place.stream) {
        return std::move(place.stream);
    }
    OwnedFd file{::openat(place.folder.get(), place.name.c_str(),
                          O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, own)};
    if (!file) {
        throw refusal(path, origin, what, errno);
    }
    return file;
}

GrowingReport::GrowingReport(const ReportFile& file) : file_{file} {
    constexpr mode_t readable = 0644;
    if (!file.stream) {
        new_.emplace(file.folder.get(), file.name, readable);
        return;
    }
    memory_.reset(::memfd_create("report", MFD_CLOEXEC));
    if (!memory_) {
        throw std::system_error{errno, std::generic_category()};
    }
}

void GrowingReport::finish(std::string_view rest) {
    if (::lseek(fd(), 0, SEEK_END) < 0) {
        throw std::system_error{errno, std::generic_category()};
    }
    write_all(fd(), rest);
    if (new_) {
        static_cast<void>(new_->keep());
    } else {
        copy_all(fd(), file_.stream.get());
    }
}

int write_report(const ReportFile& file, std::string_view text) {
    try {
        if (file.stream) {
            write_all(file.stream.get(), text);
        } else {
            GrowingReport{file}.finish(text);
        }
        return 0;
    } catch (const std::system_error& error) {
        return error.code().value();
    }
}

}  // namespace vml
