// A small file's whole text, and how a device is opened. Reads the system.
#pragma once

#include <cstddef>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace vml {

// Behind the name of a file that is not yet whole.
inline constexpr std::string_view unfinished_suffix = ".new";

// Nothing where it cannot be read, with the reason in errno: EFBIG where it has more bytes than `most`, as
// what may be endless has.
[[nodiscard]] std::optional<std::string> read_file(
    const std::filesystem::path& path, std::size_t most = std::numeric_limits<std::size_t>::max());

// O_EXCL where a block device is to be written, else 0: the kernel then refuses one that is mounted, is swap,
// or belongs to LVM or RAID, and so does it a second who asks so (open(2), block/bdev.c,
// bd_prepare_to_claim).
[[nodiscard]] int exclusively(const std::filesystem::path& path, int flags);

}  // namespace vml
