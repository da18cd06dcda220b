// Asks qemu-img about a disk image. Makes system calls, and starts a process.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/fd.h"
#include "launcher/vm/disk_image.h"
#include "launcher/vm/facts.h"

namespace vml {

// qemu-img reads what a guest may have written, so it runs with QEMU's rights or less, within limits of time
// and memory, and sees a copy of the image's beginning in memory: never the image itself, and no other file
// that the image names. `program` none: qemu-img is not installed, and that is the fault. A block device is
// raw without being asked.
[[nodiscard]] ImageFacts probe_image(const std::optional<std::filesystem::path>& program,
                                     const std::filesystem::path& image, const std::optional<RunUser>& user);

}  // namespace vml
