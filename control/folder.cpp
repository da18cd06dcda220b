#include "control/folder.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "control/lock_bytes.h"
#include "control/lock_file.h"

namespace vml::control {

namespace {

constexpr mode_t folder_mode = 0700;
constexpr mode_t others = 0077;
// More of another user's are looked for in vain: nobody runs so many VMs, but anybody can make so many files.
constexpr std::size_t most_of_others = 1024;
constexpr std::size_t no_bound = SIZE_MAX;
constexpr std::string_view in_tmp = "vm-launch-";

std::string obstacle_of(const Folder& folder, const struct stat& status) {
    if (status.st_uid != folder.owner) {
        return fmt::format("it belongs to user {}, not {}", status.st_uid, folder.owner);
    }
    return (status.st_mode & others) == 0
               ? ""
               : fmt::format("its mode is {:04o}, not 0700", status.st_mode & 07777U);
}

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

using Filter = bool (*)(std::string_view name);

std::vector<std::string> files_in(OwnedFd folder, Filter wanted, std::size_t most) {
    std::vector<std::string> files;
    const std::unique_ptr<DIR, CloseDirectory> directory{::fdopendir(folder.get())};
    if (!directory) {
        return files;
    }
    std::ignore = folder.release();  // it is the stream's
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads this stream
    for (const dirent* entry = ::readdir(directory.get()); entry != nullptr && files.size() < most;
         entry = ::readdir(directory.get())) {  // NOLINT(concurrency-mt-unsafe)
        if (wanted(std::data(entry->d_name))) {
            files.emplace_back(std::data(entry->d_name));
        }
    }
    return files;
}

bool is_held(int folder, const std::string& file) {
    const OwnedFd lock{::openat(folder, file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
    return lock && is_locked(lock.get(), life_byte);
}

// Of a VM, or of a VM's user.
bool is_lock(std::string_view file) {
    return name_of_lock(file).has_value() || file.ends_with(uid_lock_ending);
}

void take_away_if_left(int folder, const std::string& file) {
    const OwnedFd lock{::openat(folder, file.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
    if (!lock || !lock_byte(lock.get(), broom_byte, F_WRLCK, F_OFD_SETLK) ||
        is_locked(lock.get(), life_byte)) {
        return;
    }
    // Nobody can have taken it meanwhile; but it may have been swept, and the name be somebody's again.
    struct stat status {};
    if (::fstat(lock.get(), &status) != 0 || status.st_nlink == 0) {
        return;
    }
    if (const auto name = name_of_lock(file)) {
        ::unlinkat(folder, socket_file(*name).c_str(), 0);
    }
    ::unlinkat(folder, file.c_str(), 0);
}

// The users who have the folder that systemd and its like make for each, and those who took to /tmp.
std::vector<Folder> folders_of_others() {
    std::vector<Folder> folders;
    const auto files_of = [](const char* path, Filter wanted) {
        return files_in(OwnedFd{::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)}, wanted, no_bound);
    };
    for (const std::string& name : files_of("/run/user", [](std::string_view /*name*/) { return true; })) {
        if (const auto user = whole_number<uid_t>(name); user && *user != 0) {
            folders.push_back({fmt::format("/run/user/{}/vm-launch", *user), *user});
        }
    }
    for (const std::string& name :
         files_of("/tmp", [](std::string_view file) { return file.starts_with(in_tmp); })) {
        if (const auto user = whole_number<uid_t>(name.substr(in_tmp.size())); user && *user != 0) {
            folders.push_back({fmt::format("/tmp/{}{}", in_tmp, *user), *user});
        }
    }
    return folders;
}

}  // namespace

OpenFolder open_folder(const Folder& folder) {
    OwnedFd fd{::open(folder.path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) {
        return {OwnedFd{}, fmt::format("{}: {}", folder.path, errno_text(errno)), errno == ENOENT};
    }
    if (const std::string obstacle = obstacle_of(folder, status); !obstacle.empty()) {
        return {OwnedFd{}, fmt::format("{}: {}", folder.path, obstacle), false};
    }
    return {std::move(fd), "", false};
}

OpenFolder make_folder(const Folder& folder) {
    if (::mkdir(folder.path.c_str(), folder_mode) != 0 && errno != EEXIST) {
        return {OwnedFd{}, fmt::format("{}: {}", folder.path, errno_text(errno)), false};
    }
    return open_folder(folder);
}

void sweep(int folder) {
    for (const std::string& file :
         files_in(OwnedFd{::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)}, is_lock, no_bound)) {
        take_away_if_left(folder, file);
    }
}

void remove_unused(const std::string& folder) {
    if (::access("/run/systemd/system", F_OK) != 0) {
        ::rmdir(folder.c_str());  // only when it is empty
    }
}

std::vector<Folder> folders_in_reach(std::string_view runtime_dir) {
    const uid_t own = ::geteuid();
    std::vector<Folder> folders = folders_of(own, runtime_dir);
    if (own == 0) {
        const std::vector<Folder> more = folders_of_others();
        folders.insert(folders.end(), more.begin(), more.end());
    }
    return folders;
}

std::vector<Address> running_in(const std::vector<Folder>& folders) {
    std::vector<Address> found;
    for (const Folder& folder : folders) {
        const OpenFolder open = open_folder(folder);
        if (!open.fd) {
            continue;
        }
        const auto locks = files_in(
            OwnedFd{::fcntl(open.fd.get(), F_DUPFD_CLOEXEC, 0)},
            [](std::string_view file) { return name_of_lock(file).has_value(); },
            folder.owner == ::geteuid() ? no_bound : most_of_others);
        for (const std::string& file : locks) {
            if (is_held(open.fd.get(), file)) {
                found.push_back({folder, *name_of_lock(file)});
            }
        }
    }
    std::sort(found.begin(), found.end(), [](const Address& left, const Address& right) {
        return std::pair{left.name, left.folder.owner} < std::pair{right.name, right.folder.owner};
    });
    return found;
}

std::vector<Address> running_in(const std::vector<Folder>& folders, const std::string& name) {
    std::vector<Address> found;
    const std::string file = lock_file(name);
    if (!name_of_lock(file)) {
        return found;  // no VM's name: it may even lead out of the folder
    }
    for (const Folder& folder : folders) {
        const OpenFolder open = open_folder(folder);
        if (open.fd && is_held(open.fd.get(), file)) {
            found.push_back({folder, name});
        }
    }
    return found;
}

}  // namespace vml::control
