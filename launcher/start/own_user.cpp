#include "launcher/start/own_user.h"

#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "control/address.h"
#include "launcher/process/run_user.h"

namespace vml {

namespace {

constexpr mode_t only_owner = 0600;

// The lock for this uid in the first folder that can be had.
control::LockAttempt take(uid_t uid) {
    for (const control::Folder& folder : control::folders_of(::geteuid(), "")) {
        control::LockAttempt attempt =
            control::take_lock(folder, fmt::format("{}{}", uid, control::uid_lock_ending));
        if (attempt.lock || attempt.by_another) {
            return attempt;
        }
    }
    return {};
}

}  // namespace

SystemdLock::SystemdLock(OwnedFd lock, std::string path) : lock_{std::move(lock)}, path_{std::move(path)} {}

SystemdLock::~SystemdLock() {
    if (lock_) {
        ::unlink(path_.c_str());
    }
}

std::optional<SystemdLock> SystemdLock::take(uid_t uid, const std::string& folder) {
    std::string path = fmt::format("{}/{}", folder, uid);
    OwnedFd lock{::open(path.c_str(), O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, only_owner)};
    if (!lock) {  // a unit may only read there
        lock.reset(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY));
    }
    struct stat status {};
    const bool taken =
        lock && (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 || ::fstat(lock.get(), &status) != 0 ||
                 status.st_nlink == 0);  // taken away just then
    return taken ? std::nullopt : std::optional{SystemdLock{std::move(lock), std::move(path)}};
}

OwnUser::OwnUser(RunUser its, std::optional<control::LockFile> held, SystemdLock systemds)
    : user{std::move(its)}, lock{std::move(held)}, systemd{std::move(systemds)} {}
OwnUser::~OwnUser() = default;
OwnUser::OwnUser(OwnUser&&) noexcept = default;

namespace {

std::optional<OwnUser> try_user(uid_t uid, const std::string& assigned) {
    if (is_assigned(uid, assigned)) {
        return std::nullopt;
    }
    control::LockAttempt attempt = take(uid);
    std::optional<SystemdLock> systemd = attempt.by_another ? std::nullopt : SystemdLock::take(uid);
    return systemd ? std::optional<OwnUser>{std::in_place, own_user(uid), std::move(attempt.lock),
                                            std::move(*systemd)}
                   : std::nullopt;
}

}  // namespace

std::optional<OwnUser> claim_own_user(const std::string& vm_name) {
    if (!may_have_own_user()) {
        return std::nullopt;
    }
    const std::string assigned = read_file("/etc/passwd").value_or("") + read_file("/etc/group").value_or("");
    const uid_t preferred = preferred_uid(vm_name);
    uid_t uid = preferred;
    do {
        if (auto own = try_user(uid, assigned)) {
            return own;
        }
        uid = uid == last_own_uid ? first_own_uid : uid + 1;
    } while (uid != preferred);
    return std::nullopt;
}

}  // namespace vml
