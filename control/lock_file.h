// A file in a user's private folder (folder.h), locked as long as whoever made it lives. Makes system calls.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "control/address.h"

namespace vml::control {

// The kernel gives the lock up however the process ends (lock_bytes.h): what somebody who was killed
// left in the folder is told from what is in use, and is taken over. The destructor leaves no file there, and
// no folder that is empty, but where systemd runs: a unit may have it mounted already, and no file in it yet.
class LockFile {
  public:
    // What take_lock() opened.
    LockFile(OwnedFd folder, OwnedFd lock, std::string path, std::string file);
    ~LockFile();
    LockFile(LockFile&& other) noexcept = default;
    LockFile& operator=(LockFile&&) = delete;
    LockFile(const LockFile&) = delete;
    LockFile& operator=(const LockFile&) = delete;

    // The folder's descriptor.
    [[nodiscard]] int folder() const { return folder_.get(); }

  private:
    OwnedFd folder_;
    OwnedFd lock_;
    std::string path_;  // the folder's
    std::string file_;
};

// How the name of the lock of a VM's user ends, after its uid.
inline constexpr std::string_view uid_lock_ending = ".uid";

struct LockAttempt {
    std::optional<LockFile> lock;
    std::string obstacle;     // why there is none: "/run/vm-launch: Read-only file system"
    bool by_another = false;  // somebody holds it
};

// Makes the folder where it is not there yet.
[[nodiscard]] LockAttempt take_lock(const Folder& folder, const std::string& file);

}  // namespace vml::control
