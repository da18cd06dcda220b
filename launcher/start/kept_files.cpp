#include "launcher/start/kept_files.h"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "launcher/vm/facts.h"

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

// A new file appears under its name only once it is whole: a start that is cut off leaves nothing to boot
// from.
OwnedFd open_or_make(const fs::path& file, const std::function<void(int)>& fill) {
    OwnedFd kept{::open(file.c_str(), O_RDWR | O_CLOEXEC)};
    if (kept || errno != ENOENT) {
        return kept;
    }
    const fs::path unfinished = file.string() + ".new";
    kept.reset(::open(unfinished.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, owner_only_file));
    if (kept) {
        fill(kept.get());
        if (::rename(unfinished.c_str(), file.c_str()) != 0) {
            kept.reset();
        }
    }
    return kept;
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

OwnedFd open_kept_copy(const fs::path& file, const fs::path& template_file) {
    const std::string what =
        fmt::format("cannot keep a copy of {} as {}", template_file.string(), file.string());
    OwnedFd kept = open_or_make(file, [&](int to) {
        const OwnedFd from{::open(template_file.c_str(), O_RDONLY | O_CLOEXEC)};
        if (!from) {
            throw failed(what, errno);
        }
        copy_sparse(from.get(), to, what);
    });
    if (!kept) {
        throw failed(what, errno);
    }
    return kept;
}

OwnedFd open_kept_blank(const fs::path& file, std::uint64_t size) {
    const std::string what = fmt::format("cannot keep a blank disk as {}", file.string());
    OwnedFd kept = open_or_make(file, [&](int to) {
        if (::ftruncate(to, static_cast<off_t>(size)) != 0) {
            throw failed(what, errno);
        }
    });
    if (!kept) {
        throw failed(what, errno);
    }
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
        if (!empty && ::pwrite(to, page.data(), count, offset) != got) {
            throw failed(what, errno);
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
