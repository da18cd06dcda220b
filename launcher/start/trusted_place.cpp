#include "launcher/start/trusted_place.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <deque>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace vml {

namespace {

namespace fs = std::filesystem;

constexpr int most_links = 40;  // Linux include/linux/namei.h, MAXSYMLINKS

[[noreturn]] void fail(int error) {
    throw std::system_error{error, std::generic_category()};
}

struct stat status_of(const OwnedFd& file) {
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) {
        fail(errno);
    }
    return status;
}

OwnedFd root_folder() {
    OwnedFd root{::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (!root) {
        fail(errno);
    }
    return root;
}

void refuse_planted(const OwnedFd& folder, const struct stat& item) {
    constexpr mode_t shared = S_ISVTX | S_IWOTH;
    const bool may_be_planted = S_ISLNK(item.st_mode) || S_ISFIFO(item.st_mode);
    if (may_be_planted && item.st_uid != 0 && item.st_uid != ::geteuid() &&
        (status_of(folder).st_mode & shared) == shared) {
        fail(EPERM);
    }
}

fs::path target_of(const OwnedFd& link) {
    std::array<char, PATH_MAX> text{};
    const ssize_t count = ::readlinkat(link.get(), "", text.data(), text.size());
    if (count < 0) {
        fail(errno);
    }
    return fs::path{std::string{text.data(), static_cast<std::size_t>(count)}};
}

void put_before(std::deque<std::string>& names, const fs::path& path) {
    std::deque<std::string> more;
    for (const fs::path& part : path.relative_path()) {
        if (!part.empty() && part != ".") {
            more.push_back(part.string());
        }
    }
    names.insert(names.begin(), more.begin(), more.end());
}

}  // namespace

TrustedPlace trusted_place(const fs::path& path) {
    OwnedFd folder = root_folder();
    std::deque<std::string> names;
    put_before(names, fs::absolute(path));
    int links = 0;
    while (!names.empty()) {
        std::string name = std::move(names.front());
        names.pop_front();
        OwnedFd item{::openat(folder.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
        if (!item && errno == ENOENT && names.empty()) {
            return {std::move(folder), std::move(name), std::nullopt};
        }
        if (!item) {
            fail(errno);
        }
        const struct stat status = status_of(item);
        refuse_planted(folder, status);
        if (S_ISLNK(status.st_mode)) {
            const fs::path target = target_of(item);
            put_before(names, target);
            folder = target.is_absolute() ? root_folder() : std::move(folder);
            if (++links > most_links) {
                fail(ELOOP);
            }
        } else if (names.empty()) {
            return {std::move(folder), std::move(name), status};
        } else {
            folder = std::move(item);
        }
    }
    return {std::move(folder), ".", std::nullopt};
}

}  // namespace vml
