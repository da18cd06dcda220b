#include "control/lock_file.h"

#include <cerrno>
#include <tuple>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "control/folder.h"
#include "control/lock_bytes.h"

namespace vml::control {

namespace {

// Each time somebody else has taken folder or lock away just then, at his own end.
constexpr int most_tries = 64;
constexpr mode_t lock_mode = 0600;

LockAttempt obstacle(const Folder& folder, const std::string& file, int error) {
    return {std::nullopt, fmt::format("{}/{}: {}", folder.path, file, errno_text(error)), error == EAGAIN};
}

// `gone`: what there was has been taken away meanwhile.
LockAttempt try_once(const Folder& where, const std::string& file, bool& gone) {
    OpenFolder folder = make_folder(where);
    if (!folder.fd) {
        gone = folder.gone;
        return {std::nullopt, std::move(folder.obstacle)};
    }
    // Who cleans up old files in /tmp (tmpfiles.d(5)) leaves alone what is below a folder with a lock.
    ::flock(folder.fd.get(), LOCK_SH | LOCK_NB);
    OwnedFd lock{::openat(folder.fd.get(), file.c_str(),
                          O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, lock_mode)};
    if (!lock || !lock_byte(lock.get(), broom_byte, F_WRLCK, F_OFD_SETLKW) ||
        !lock_byte(lock.get(), life_byte, F_WRLCK, F_OFD_SETLK)) {
        gone = errno == ENOENT;
        return obstacle(where, file, errno);
    }
    struct stat status {};
    if (::fstat(lock.get(), &status) != 0 || status.st_nlink == 0) {
        gone = true;
        return obstacle(where, file, ENOENT);
    }
    std::ignore = lock_byte(lock.get(), broom_byte, F_UNLCK, F_OFD_SETLK);
    return {LockFile{std::move(folder.fd), std::move(lock), where.path, file}, ""};
}

}  // namespace

LockFile::LockFile(OwnedFd folder, OwnedFd lock, std::string path, std::string file)
    : folder_{std::move(folder)}, lock_{std::move(lock)}, path_{std::move(path)}, file_{std::move(file)} {}

LockFile::~LockFile() {
    if (lock_) {
        ::unlinkat(folder_.get(), file_.c_str(), 0);
        remove_unused(path_);
    }
}

LockAttempt take_lock(const Folder& folder, const std::string& file) {
    for (int tries = 1;; ++tries) {
        bool gone = false;
        LockAttempt attempt = try_once(folder, file, gone);
        if (!gone || tries == most_tries) {
            return attempt;
        }
    }
}

}  // namespace vml::control
