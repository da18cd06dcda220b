#include "netserve/folder.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <utility>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace vml::serve {

namespace {

// The C library has no function for it.
int open_below(int folder, const char* name, std::uint64_t flags) {
    open_how how{};
    how.flags = flags | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    return static_cast<int>(::syscall(SYS_openat2, folder, name, &how, sizeof how));
}

FoundFile found(OwnedFd fd) {
    if (!fd) {
        return {OwnedFd{}, 0, errno};
    }
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return {OwnedFd{}, 0, ENOENT};
    }
    return {std::move(fd), static_cast<std::uint64_t>(status.st_size), 0};
}

}  // namespace

FoundFile open_beneath(int folder, const std::string& name) {
    // O_NONBLOCK: a FIFO in the folder must not hold us up.
    return found(OwnedFd{open_below(folder, name.c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK)});
}

FoundFile open_in(const Content& content, const std::string& name) {
    const std::string wanted = std::filesystem::path{name}.lexically_normal().string();
    const auto file = std::find_if(content.files.begin(), content.files.end(),
                                   [&](const Content::File& each) { return each.name == wanted; });
    if (file == content.files.end()) {
        return content.folder ? open_beneath(content.folder.get(), name) : FoundFile{OwnedFd{}, 0, ENOENT};
    }
    if (!file->below.empty()) {
        return open_beneath(file->fd.get(), file->below);
    }
    return found(OwnedFd{::fcntl(file->fd.get(), F_DUPFD_CLOEXEC, 0)});
}

int folder_obstacle(const std::string& folder) {
    const OwnedFd fd{::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    const OwnedFd beneath{fd ? open_below(fd.get(), ".", O_RDONLY | O_DIRECTORY) : -1};
    return beneath ? 0 : errno;
}

std::vector<std::string> leading_out(const std::string& folder, const std::vector<std::string>& names) {
    const OwnedFd fd{::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    std::vector<std::string> out;
    std::copy_if(names.begin(), names.end(), std::back_inserter(out), [&](const std::string& name) {
        const OwnedFd found{open_below(fd.get(), name.c_str(), O_PATH)};
        return !found && errno == EXDEV;
    });
    return out;
}

}  // namespace vml::serve
