// What QEMU's last words mean, where they have a cause that a user can mend. Pure.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace vml {

// A file that QEMU knows by the number of its descriptor only.
using NamedDescriptor = std::pair<int, std::filesystem::path>;

// `lines` are QEMU's on standard error (QEMU util/osdep.c and block/file-posix.c: the lock on an image;
// net/slirp.c and ui/vnc.c: a port of the host).
[[nodiscard]] std::optional<Fault> explain_qemu_stderr(const std::vector<std::string>& lines,
                                                       const std::vector<NamedDescriptor>& files);

}  // namespace vml
