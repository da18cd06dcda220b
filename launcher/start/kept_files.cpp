#include "launcher/start/kept_files.h"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "launcher/start/files.h"
#include "launcher/vm/facts.h"
#include "launcher/vm/nvram_store.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

constexpr mode_t owner_only_folder = 0700;
constexpr mode_t owner_only_file = 0600;

Error failed(std::string_view what, int error_number) {
    return Error{{std::string{what}, errno_text(error_number),
                  "the folder of --data-dir must be writable, with room in it; --no-persist does without",
                  ExitCode::host}};
}

void write_all(int to, std::string_view bytes, off_t offset, std::string_view what) {
    if (const int error = write_whole(to, bytes, offset); error != 0) {
        throw failed(what, error);
    }
}

// A file that is gone again unless it is kept.
class Unfinished {
  public:
    explicit Unfinished(fs::path path) : path_{std::move(path)} {}
    ~Unfinished() {
        if (!path_.empty()) {
            ::unlink(path_.c_str());
        }
    }
    Unfinished(const Unfinished&) = delete;
    Unfinished& operator=(const Unfinished&) = delete;
    Unfinished(Unfinished&&) = delete;
    Unfinished& operator=(Unfinished&&) = delete;

    [[nodiscard]] const fs::path& path() const { return path_; }
    void keep() { path_.clear(); }

  private:
    fs::path path_;
};

// A new file appears under its name only once it is whole: a start that is cut off leaves nothing to boot
// from.
OwnedFd make(const fs::path& file, std::string_view what, const std::function<void(int)>& fill) {
    const fs::path unfinished_path = file.string() + ".new";
    OwnedFd made{::open(unfinished_path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, owner_only_file)};
    if (!made) {
        throw failed(what, errno);
    }
    Unfinished unfinished{unfinished_path};
    fill(made.get());
    if (::rename(unfinished.path().c_str(), file.c_str()) != 0) {
        throw failed(what, errno);
    }
    unfinished.keep();
    return made;
}

// Nothing where it is not there.
OwnedFd open_kept(const fs::path& file, std::string_view what) {
    OwnedFd kept{::open(file.c_str(), O_RDWR | O_CLOEXEC)};
    if (!kept && errno != ENOENT) {
        throw failed(what, errno);
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
        throw failed(what, errno);
    }
    if (static_cast<std::uint64_t>(status.st_size) >= blank.size) {
        return;
    }
    refuse_while_in_use(what, fd);
    if (::ftruncate(fd, static_cast<off_t>(blank.size)) != 0) {
        throw failed(what, errno);
    }
}

void remove_kept(const fs::path& file) {
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) {
        throw failed(fmt::format("cannot remove {}", file.string()), errno);
    }
}

OwnedFd make_copy(const fs::path& file, const fs::path& template_file) {
    const std::string what =
        fmt::format("cannot keep a copy of {} as {}", template_file.string(), file.string());
    return make(file, what, [&](int to) {
        const OwnedFd from{::open(template_file.c_str(), O_RDONLY | O_CLOEXEC)};
        if (!from) {
            throw failed(what, errno);
        }
        copy_sparse(from.get(), to, what);
    });
}

void write_origin(const fs::path& file, const std::string& origin) {
    const std::string what = fmt::format("cannot write {}", file.string());
    static_cast<void>(make(file, what, [&](int to) { write_all(to, origin, 0, what); }));
}

}  // namespace

OwnedFd open_state_folder(const fs::path& folder) {
    const std::string what = fmt::format("cannot use {}", folder.string());
    if (::mkdir(folder.c_str(), owner_only_folder) != 0 && errno != EEXIST) {
        throw failed(what, errno);
    }
    OwnedFd fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!fd) {
        throw failed(what, errno);
    }
    return fd;
}

// What says where a store came from is never there beside a store that came from elsewhere.
OwnedFd open_kept_store(const KeptStore& store) {
    const fs::path origin_file = fs::path{store.file}.replace_filename(nvram_origin_file);
    OwnedFd kept = open_kept(store.file, fmt::format("cannot use {}", store.file.string()));
    if (kept && store.anew) {
        refuse_while_in_use(fmt::format("cannot make {} anew", store.file.string()), kept.get());
        remove_kept(origin_file);
        remove_kept(store.file);
        kept.reset();
    }
    if (kept) {
        if (!store.origin.empty()) {
            write_origin(origin_file, store.origin);
        }
        return kept;
    }
    remove_kept(origin_file);
    OwnedFd made = make_copy(store.file, store.template_file);
    Unfinished unfinished{store.file};
    write_origin(origin_file, store.origin);
    unfinished.keep();
    return made;
}

OwnedFd open_kept_blank(const KeptBlank& blank) {
    const std::string what = fmt::format("cannot keep a blank disk as {}", blank.file.string());
    const auto prepare = [&](int fd) {
        if (blank.direct) {
            require_direct(fd, blank.file);
        }
        grow(blank, fd);
    };
    OwnedFd kept = open_kept(blank.file, what);
    if (!kept) {
        return make(blank.file, what, prepare);
    }
    prepare(kept.get());
    return kept;
}

void copy_sparse(int from, int to, std::string_view what) {
    std::vector<char> page(std::size_t{64} << 10);
    off_t offset = 0;
    while (true) {
        const ssize_t got = ::pread(from, page.data(), page.size(), offset);
        if (got < 0) {
            throw failed(what, errno);
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
        throw failed(what, errno);
    }
}

int write_first_boot_mark(int state_folder) {
    const OwnedFd mark{
        ::openat(state_folder, first_boot_mark, O_WRONLY | O_CREAT | O_CLOEXEC, owner_only_file)};
    return mark ? 0 : errno;
}

}  // namespace vml
