#include "launcher/start/new_file.h"

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace vml {

namespace {

std::system_error refused() {
    return std::system_error{errno, std::generic_category()};
}

std::system_error busy() {
    return std::system_error{EBUSY, std::generic_category()};
}

// Does somebody write it now?
bool is_locked(int folder, const std::string& name) {
    const OwnedFd there{
        ::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
    return there && ::flock(there.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace

NewFile::NewFile(int folder, std::string name, mode_t mode)
    : folder_{folder}, name_{std::move(name)}, unfinished_{name_ + std::string{unfinished_suffix}} {
    if (is_locked(folder_, unfinished_)) {
        throw busy();
    }
    // What a run that was killed left, or somebody else put there.
    if (::unlinkat(folder_, unfinished_.c_str(), 0) != 0 && errno != ENOENT) {
        throw refused();
    }
    fd_.reset(
        ::openat(folder_, unfinished_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!fd_) {
        throw refused();
    }
    ::flock(fd_.get(), LOCK_EX | LOCK_NB);  // not every file system has locks
}

// Not where another program took it away, or put its own there.
bool NewFile::is_in_place() const {
    struct stat own {};
    struct stat there {};
    return ::fstat(fd_.get(), &own) == 0 &&
           ::fstatat(folder_, unfinished_.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           own.st_dev == there.st_dev && own.st_ino == there.st_ino;
}

NewFile::~NewFile() {
    if (fd_ && is_in_place()) {
        ::unlinkat(folder_, unfinished_.c_str(), 0);
    }
}

OwnedFd NewFile::keep() {
    if (!is_in_place()) {
        throw busy();
    }
    if (::renameat(folder_, unfinished_.c_str(), folder_, name_.c_str()) != 0) {
        throw refused();
    }
    return std::move(fd_);
}

}  // namespace vml
