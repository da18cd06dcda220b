// The beginning of a file, and other parts. Reads only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace vml {

// Empty where it cannot be read, and of anything but a file or a block device: a FIFO could be waited for.
[[nodiscard]] std::string head_of(const std::filesystem::path& path, std::size_t size);
// So many bytes from an offset on, or what there is of them.
[[nodiscard]] std::string part_of(const std::filesystem::path& path, std::uint64_t offset, std::size_t size);

}  // namespace vml
