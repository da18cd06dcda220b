// A small file's whole text, and how a device is opened. Reads the system.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace vml {

// Nothing where it cannot be read, with the reason in errno. For files of the kernel's and the user's own,
// not for what may be endless.
[[nodiscard]] std::optional<std::string> read_file(const std::filesystem::path& path);

// O_EXCL where a block device is to be written, else 0: the kernel then refuses one that is mounted, is swap,
// or belongs to LVM or RAID, and so does it a second who asks so (open(2), block/bdev.c,
// bd_prepare_to_claim).
[[nodiscard]] int exclusively(const std::filesystem::path& path, int flags);

}  // namespace vml
