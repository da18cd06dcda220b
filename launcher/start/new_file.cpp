#include "launcher/start/new_file.h"

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace vml {

namespace {

std::system_error refused() {
    return std::system_error{errno, std::generic_category()};
}

}  // namespace

NewFile::NewFile(int folder, std::string name, mode_t mode)
    : folder_{folder}, name_{std::move(name)}, unfinished_{name_ + ".new"} {
    // What a run that was killed left, or somebody else put there.
    if (::unlinkat(folder_, unfinished_.c_str(), 0) != 0 && errno != ENOENT) {
        throw refused();
    }
    fd_.reset(
        ::openat(folder_, unfinished_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!fd_) {
        throw refused();
    }
}

NewFile::~NewFile() {
    if (fd_) {
        ::unlinkat(folder_, unfinished_.c_str(), 0);
    }
}

OwnedFd NewFile::keep() {
    if (::renameat(folder_, unfinished_.c_str(), folder_, name_.c_str()) != 0) {
        throw refused();
    }
    return std::move(fd_);
}

}  // namespace vml
