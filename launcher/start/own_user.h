// A user that is one VM's alone, as long as its vm-launch lives. Makes system calls.
#pragma once

#include <optional>
#include <string>

#include "base/fd.h"
#include "control/lock_file.h"
#include "launcher/vm/facts.h"

namespace vml {

// systemd's lock on a dynamic user, where systemd runs and the file can be opened: flock(2) on a file of the
// number's name (pick_uid() in its src/core/dynamic-user.c). No service gets the uid as long as this lives.
class SystemdLock {
  public:
    // None: somebody has it.
    [[nodiscard]] static std::optional<SystemdLock> take(uid_t uid,
                                                         const std::string& folder = systemds_folder);
    static constexpr const char* systemds_folder = "/run/systemd/dynamic-uid";
    ~SystemdLock();
    SystemdLock(SystemdLock&& other) noexcept = default;
    SystemdLock& operator=(SystemdLock&&) = delete;
    SystemdLock(const SystemdLock&) = delete;
    SystemdLock& operator=(const SystemdLock&) = delete;

    [[nodiscard]] int fd() const { return lock_.get(); }

  private:
    SystemdLock(OwnedFd lock, std::string path);

    OwnedFd lock_;
    std::string path_;
};

// By the lock that is held no other vm-launch gives the same uid to its VM. Without one, where there is no
// folder for it: in a container that can write nothing, which has its own processes only.
struct OwnUser {
    OwnUser(RunUser its, std::optional<control::LockFile> held, SystemdLock systemds);
    ~OwnUser();
    OwnUser(OwnUser&&) noexcept;
    OwnUser& operator=(OwnUser&&) = delete;
    OwnUser(const OwnUser&) = delete;
    OwnUser& operator=(const OwnUser&) = delete;

    RunUser user;
    std::optional<control::LockFile> lock;
    SystemdLock systemd;
};

// None for who is not root, or where these users are not mapped.
[[nodiscard]] std::optional<OwnUser> claim_own_user(const std::string& vm_name);

}  // namespace vml
