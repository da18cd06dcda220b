// The folders of control sockets (address.h), and which VMs run in them. Another user's folder may hold
// anything: nothing in it is followed, waited for or taken for granted. Makes system calls.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "control/address.h"

namespace vml::control {

struct OpenFolder {
    OwnedFd fd;
    std::string obstacle;  // why there is none: "/run/vm-launch: Read-only file system"
    bool gone = false;     // it was there, and somebody has taken it away
};

// The folder, if it is its owner's alone.
[[nodiscard]] OpenFolder open_folder(const Folder& folder);
// The same, made where it is not there yet.
[[nodiscard]] OpenFolder make_folder(const Folder& folder);

// Takes away what others, who were killed, left in one's own folder: their sockets and locks.
void sweep(int folder);
// Removes the folder where it is empty, but not where systemd runs: a unit may have it mounted already, and
// no file in it yet.
void remove_unused(const std::string& folder);

// Those whose VMs this process may command: its own user's, and for root everybody's.
[[nodiscard]] std::vector<Folder> folders_in_reach(std::string_view runtime_dir);

// The VMs that run, by name: those whose lock is held. Of another user's only the first 1024 files are looked
// at.
[[nodiscard]] std::vector<Address> running_in(const std::vector<Folder>& folders);
// Those of them that have this name, however many others there are.
[[nodiscard]] std::vector<Address> running_in(const std::vector<Folder>& folders, const std::string& name);

}  // namespace vml::control
