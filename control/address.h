// Where a VM's control socket is: a file in a folder that is one user's alone, so that nobody else can make
// it, reach it or see it, and another container, which has its mount namespace, neither. Beside it lies a
// file with a lock that the VM's vm-launch holds as long as it lives (claim.h). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace vml::control {

struct Folder {
    std::string path;
    uid_t owner = 0;  // and nobody else may have any right to it

    bool operator==(const Folder&) const = default;
};

struct Address {
    Folder folder;
    std::string name;  // the VM's

    bool operator==(const Address&) const = default;
};

// Where this user's sockets may be, the best one first: /run/vm-launch for root, $XDG_RUNTIME_DIR/vm-launch
// and /run/user/UID/vm-launch for others, and where none of these can be had /tmp/vm-launch-UID.
// `runtime_dir` is that variable's value.
[[nodiscard]] std::vector<Folder> folders_of(uid_t user, std::string_view runtime_dir);

// What lies in the folder for a VM.
[[nodiscard]] std::string socket_file(std::string_view name);
[[nodiscard]] std::string lock_file(std::string_view name);
// Whose lock a file of this name would be. Somebody else may have put it there: a name that no VM can have is
// none.
[[nodiscard]] std::optional<std::string> name_of_lock(std::string_view file);

}  // namespace vml::control
