#include "launcher/start/kept_files.h"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "launcher/start/files.h"
#include "launcher/start/new_file.h"
#include "launcher/vm/facts.h"
#include "launcher/vm/nvram_store.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

constexpr mode_t owner_only_folder = 0700;
constexpr mode_t owner_only_file = 0600;
constexpr mode_t owner_and_group_file = 0660;

Error folder_failed(std::string_view what, int error_number) {
    return Error{{std::string{what}, errno_text(error_number),
                  "the folder of --data-dir must be writable, with room in it; --no-persist does without",
                  ExitCode::host}};
}

void write_all(int to, std::string_view bytes, off_t offset, std::string_view what) {
    if (const int error = write_whole(to, bytes, offset); error != 0) {
        throw folder_failed(what, error);
    }
}

// A start that is cut off leaves nothing to boot from.
OwnedFd make(int folder, const fs::path& file, std::string_view what, const std::function<void(int)>& fill) {
    try {
        NewFile made{folder, file.filename().string(), owner_only_file};
        fill(made.fd());
        return made.keep();
    } catch (const std::system_error& error) {
        throw folder_failed(what, error.code().value());
    }
}

// In a folder that a group may write to (a volume of Kubernetes, with fsGroup), somebody of it may have put
// the file there: a hard link to a file of ours, or one of his own.
void refuse_foreign(int folder, int fd, std::optional<uid_t> owner, std::string_view what) {
    struct stat where {};
    struct stat file {};
    if (::fstat(folder, &where) != 0 || ::fstat(fd, &file) != 0) {
        throw folder_failed(what, errno);
    }
    const bool ours = file.st_uid == ::geteuid() || file.st_uid == where.st_uid || file.st_uid == owner;
    const bool planted = (where.st_mode & S_IWGRP) != 0 && (file.st_nlink > 1 || !ours);
    if (!S_ISREG(file.st_mode) || planted) {
        throw Error{{std::string{what},
                     planted ? "it may have been put there by another user" : "it is no regular file",
                     "look at what is there, and move it away", ExitCode::host}};
    }
}

// Nothing where it is not there. Links are not followed: who owns the folder need not be who runs this.
OwnedFd open_kept(int folder, const fs::path& file, std::string_view what, std::optional<uid_t> owner = {}) {
    OwnedFd kept{::openat(folder, file.filename().c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
    if (kept) {
        refuse_foreign(folder, kept.get(), owner, what);
        ::fcntl(kept.get(), F_SETFL, 0);
        return kept;
    }
    if (errno == ELOOP) {
        throw Error{{std::string{what}, "it is a symbolic link, which is not followed here",
                     "put the file itself there", ExitCode::host}};
    }
    if (errno != ENOENT) {
        throw folder_failed(what, errno);
    }
    return kept;
}

// QEMU locks single bytes of an image that it has open (QEMU block/file-posix.c).
void refuse_while_in_use(const std::string& what, int fd) {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK) {
        throw Error{
            {what, "a VM that runs has it open", "stop that one first: vm-launch status", ExitCode::host}};
    }
}

// Never shrinks it.
void grow(const KeptBlank& blank, int fd) {
    const std::string what = fmt::format("cannot make {} {} bytes long", blank.file.string(), blank.size);
    struct stat status {};
    if (::fstat(fd, &status) != 0) {
        throw folder_failed(what, errno);
    }
    if (static_cast<std::uint64_t>(status.st_size) >= blank.size) {
        return;
    }
    refuse_while_in_use(what, fd);
    if (::ftruncate(fd, static_cast<off_t>(blank.size)) != 0) {
        throw folder_failed(what, errno);
    }
}

void remove_kept(int folder, const fs::path& file) {
    if (::unlinkat(folder, file.filename().c_str(), 0) != 0 && errno != ENOENT) {
        throw folder_failed(fmt::format("cannot remove {}", file.string()), errno);
    }
}

OwnedFd make_copy(int folder, const fs::path& file, const fs::path& template_file) {
    const std::string what =
        fmt::format("cannot keep a copy of {} as {}", template_file.string(), file.string());
    return make(folder, file, what, [&](int to) {
        const OwnedFd from{::open(template_file.c_str(), O_RDONLY | O_CLOEXEC)};
        if (!from) {
            throw folder_failed(what, errno);
        }
        copy_sparse(from.get(), to, what);
    });
}

void write_origin(int folder, const fs::path& file, const std::string& origin) {
    const std::string what = fmt::format("cannot write {}", file.string());
    static_cast<void>(make(folder, file, what, [&](int to) { write_all(to, origin, 0, what); }));
}

// Who may put files into the folder decides which files are taken for the VM's.
void refuse_of_others(int fd, const std::string& what) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) {
        throw folder_failed(what, errno);
    }
    if (status.st_uid != ::geteuid() && status.st_uid != 0) {
        throw Error{{what,
                     fmt::format("it belongs to another user ({}), who may put links to any file into it",
                                 status.st_uid),
                     "if its files are yours to boot from, make it your own (chown -R); else take another "
                     "--data-dir or --name",
                     ExitCode::host}};
    }
    if ((status.st_mode & S_IWOTH) != 0) {
        throw Error{{what, "everybody may write to it, and put links to any file into it", "chmod o-w",
                     ExitCode::host}};
    }
}

}  // namespace

OwnedFd open_state_folder(const fs::path& folder) {
    const std::string what = fmt::format("cannot use {}", folder.string());
    if (::mkdir(folder.c_str(), owner_only_folder) != 0 && errno != EEXIST) {
        throw folder_failed(what, errno);
    }
    OwnedFd fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    if (!fd) {
        throw folder_failed(what, errno);
    }
    refuse_of_others(fd.get(), what);
    // a file system without such locks has to do without
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        throw Error{{what, "another vm-launch keeps a VM in it that runs",
                     "stop that VM first, or give this one a name of its own (--name) or another --data-dir",
                     ExitCode::host}};
    }
    return fd;
}

// What says where a store came from is never there beside a store that came from elsewhere.
OwnedFd open_kept_store(int folder, const KeptStore& store) {
    const fs::path origin_file = fs::path{store.file}.replace_filename(nvram_origin_file);
    OwnedFd kept = open_kept(folder, store.file, fmt::format("cannot use {}", store.file.string()));
    if (kept && store.anew) {
        refuse_while_in_use(fmt::format("cannot make {} anew", store.file.string()), kept.get());
        remove_kept(folder, origin_file);
        remove_kept(folder, store.file);
        kept.reset();
    }
    if (kept) {
        if (!store.origin.empty()) {
            write_origin(folder, origin_file, store.origin);
        }
        return kept;
    }
    remove_kept(folder, origin_file);
    OwnedFd made = make_copy(folder, store.file, store.template_file);
    try {
        write_origin(folder, origin_file, store.origin);
    } catch (const Error&) {
        remove_kept(folder, store.file);
        throw;
    }
    return made;
}

OwnedFd open_kept_blank(int folder, const KeptBlank& blank) {
    const std::string what = fmt::format("cannot keep a blank disk as {}", blank.file.string());
    const auto prepare = [&](int fd) {
        if (blank.direct) {
            require_direct(fd, blank.file);
        }
        grow(blank, fd);
    };
    OwnedFd kept = open_kept(folder, blank.file, what);
    if (!kept) {
        return make(folder, blank.file, what, prepare);
    }
    prepare(kept.get());
    return kept;
}

// swtpm opens its state by name. The owner stays vm-launch: root with few capabilities could not open another
// user's file the next time. The state folder, its owner's alone, keeps the rest of the group away.
OwnedFd open_kept_tpm(int folder, const fs::path& file, const std::optional<RunUser>& user) {
    const std::string what = fmt::format("cannot keep the TPM's state as {}", file.string());
    // An older vm-launch gave it to the user.
    OwnedFd state = open_kept(folder, file, what, user ? std::optional{user->uid} : std::nullopt);
    if (!state) {
        state = make(folder, file, what, [](int) {});
    }
    if (user && (::fchown(state.get(), ::geteuid(), user->gid) != 0 ||
                 ::fchmod(state.get(), owner_and_group_file) != 0)) {
        throw folder_failed(what, errno);
    }
    return state;
}

void copy_sparse(int from, int to, std::string_view what) {
    std::vector<char> page(std::size_t{64} << 10);
    off_t offset = 0;
    while (true) {
        const ssize_t got = ::pread(from, page.data(), page.size(), offset);
        if (got < 0) {
            throw folder_failed(what, errno);
        }
        if (got == 0) {
            break;
        }
        const auto count = static_cast<std::size_t>(got);
        const bool empty = std::all_of(page.begin(), page.begin() + got, [](char c) { return c == 0; });
        if (!empty) {
            write_all(to, {page.data(), count}, offset, what);
        }
        offset += got;
    }
    if (::ftruncate(to, offset) != 0) {
        throw folder_failed(what, errno);
    }
}

int write_first_boot_mark(int state_folder) {
    const OwnedFd mark{::openat(state_folder, first_boot_mark, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
                                owner_only_file)};
    return mark ? 0 : errno;
}

}  // namespace vml
