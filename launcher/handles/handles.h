// Descriptors that "apply" opens and the event loop's parts live by: plain structs, each owned by whoever
// holds it.
#pragma once

#include <filesystem>
#include <string>

#include "base/fd.h"

namespace vml {

// Where one NIC's frames come from.
struct WireTap {
    std::string nic;       // "net0"
    std::string mac;       // the guest's
    OwnedFd fd;            // a packet socket, or the read end of a pipe with QEMU's dump
    int link_index = 0;    // of the packet socket
    std::string filter{};  // QEMU's object that writes the dump; empty: it is a packet socket
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

// A report's file, open from the start: what stands in its way is told before anything runs.
struct ReportFile {
    std::filesystem::path path;
    OwnedFd fd;
};

}  // namespace vml
