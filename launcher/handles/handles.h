// What passes between rooms while a VM runs: above all descriptors that "apply" opens and the event loop's
// parts live by, in plain structs, each owned by whoever holds it.
#pragma once

#include <filesystem>
#include <string>

#include "base/fd.h"

namespace vml {

// The name of the process that keeps a VM's files (launcher/keeper/file_keeper.h); the kernel has room for 15
// characters (TASK_COMM_LEN).
inline constexpr const char* keeper_comm = "vm-launch-files";

// Where one NIC's frames come from.
struct WireTap {
    std::string nic;     // "net0"
    std::string mac;     // the guest's
    OwnedFd fd;          // a packet socket, or the read end of a pipe with QEMU's dump
    int link_index = 0;  // of the packet socket
    bool alone =
        false;  // the guest alone is at the link's other end: what goes out over it came in for the guest
    std::string filter{};  // QEMU's object that writes the dump; empty: it is a packet socket
    OwnedFd inlet{};  // a stream that takes frames for the guest, each with its length before it; or none
    std::string inlet_name{};  // QEMU's object at its other end
    OwnedFd guest_end{};       // of a tap over which is probed, a copy of QEMU's own descriptor; or none
};

// A file in memory that QEMU writes a picture of the guest's screen into: both descriptions of it.
struct ScreenshotFile {
    int fdset = -1;    // QEMU's name for it: /dev/fdset/N
    OwnedFd writable;  // shares its offset with QEMU's
    OwnedFd readable;

    explicit operator bool() const { return static_cast<bool>(readable); }
};

// What a running VM answers from.
struct ToldFiles {
    ScreenshotFile screenshot;  // none: the VM has no screen
    OwnedFd nvram;              // UEFI's variables as they are now; none: Secure Boot does not depend on them
};

// Where a report goes (launcher/start/report_file.h).
struct ReportFile {
    std::filesystem::path path;  // as the user named it
    OwnedFd stream = {};         // a pipe or a device, which is written as it is; none: a file,
    OwnedFd folder = {};         // which appears in this folder
    std::string name = {};       // under this name
};

}  // namespace vml
