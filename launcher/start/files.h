// Files that are opened or made for QEMU. Makes system calls.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/error.h"
#include "base/fd.h"
#include "launcher/vm/facts.h"

namespace vml {

[[nodiscard]] Error failed(const std::string& what, int error_number, std::string hint,
                           ExitCode code = ExitCode::failed);

// A file of our own without a name, which QEMU's user may read and write. Throws Error with this `what`.
[[nodiscard]] OwnedFd memory_file(const std::optional<RunUser>& user, const std::string& what);

// Throws Error.
[[nodiscard]] OwnedFd open_file(const std::filesystem::path& path, int flags);

// 0, or the errno of why not all of it was written.
[[nodiscard]] int write_whole(int to, std::string_view bytes, off_t offset);

// "… is in use by another VM".
[[nodiscard]] Fault image_in_use(const std::string& file, ExitCode code);
// Throws Error where a QEMU has the image open in a way that does not go with ours.
void refuse_in_use(int fd, const std::filesystem::path& path, bool writing);

// QEMU is to open it past the host's cache (--disk-cache none), and so is the descriptor from then on:
// QEMU 9.1 and later take no other from a set for that (monitor/fds.c). Throws Error where its file system
// has no such thing.
void require_direct(int fd, const std::filesystem::path& path);

}  // namespace vml
