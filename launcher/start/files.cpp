#include "launcher/start/files.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "control/lock_bytes.h"

namespace vml {

Error failed(const std::string& what, int error_number, std::string hint, ExitCode code) {
    return Error{{what, errno_text(error_number), std::move(hint), code}};
}

OwnedFd memory_file(const std::optional<RunUser>& user, const std::string& what) {
    OwnedFd file{::memfd_create("vm-launch", MFD_CLOEXEC)};
    if (!file || (user && ::fchown(file.get(), user->uid, user->gid) != 0)) {
        throw failed(what, errno, "", ExitCode::host);
    }
    return file;
}

OwnedFd open_file(const std::filesystem::path& path, int flags) {
    OwnedFd file{::open(path.c_str(), flags | exclusively(path, flags) | O_CLOEXEC)};
    if (!file) {
        throw failed(fmt::format("cannot open {}", path.string()), errno,
                     errno == EBUSY ? "is it mounted, or another VM's?" : "", ExitCode::host);
    }
    return file;
}

int write_whole(int to, std::string_view bytes, off_t offset) {
    const ssize_t written = ::pwrite(to, bytes.data(), bytes.size(), offset);
    if (written == static_cast<ssize_t>(bytes.size())) {
        return 0;
    }
    return written < 0 ? errno : ENOSPC;  // a short write leaves errno as it was
}

namespace {

Fault image_is_read(const std::string& file) {
    return {
        fmt::format("{} is read by another program, which a write would mislead", file),
        "QEMU and its tools lock an image that they read against writers: a VM's disk lies on it, or "
        "qemu-img is at work on it",
        fmt::format("wait for it, or see who has it (fuser {}); a disk of this VM's own: qemu-img create -b",
                    file),
        ExitCode::host};
}

}  // namespace

Fault image_in_use(const std::string& file, ExitCode code) {
    return {fmt::format("{} is in use by another VM", file),
            "QEMU locks a disk image that it writes to, and somebody holds the lock: two writers "
            "would destroy the image",
            fmt::format("stop the other one (`vm-launch status`, or fuser {}), or give this VM an "
                        "image of its own",
                        file),
            code};
}

// QEMU locks a byte for each permission that it has, from 100 on, and for each that nobody else may have,
// from 200 on (block/file-posix.c; the permissions: block/block-common.h).
void refuse_in_use(int fd, const std::filesystem::path& path, bool writing) {
    constexpr off_t writes = 101;
    constexpr off_t resizes = 103;
    constexpr off_t bears_no_writer = 201;
    if (control::is_locked(fd, writes) || control::is_locked(fd, resizes)) {
        throw Error{image_in_use(path.string(), ExitCode::host)};
    }
    if (writing && control::is_locked(fd, bears_no_writer)) {
        throw Error{image_is_read(path.string())};
    }
}

void require_direct(int fd, const std::filesystem::path& path) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_DIRECT) != 0) {
        const std::string why = errno == EINVAL
                                    ? "its file system has no access past the host's cache (O_DIRECT)"
                                    : errno_text(errno);
        throw Error{{fmt::format("cannot use {} without the host's cache", path.string()), why,
                     "use --disk-cache writeback (and no --disk-io native), or put it on another file system",
                     ExitCode::host}};
    }
}

}  // namespace vml
