// The beginning of a file. Reads only.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace vml {

// Empty where it cannot be read.
[[nodiscard]] std::string head_of(const std::filesystem::path& path, std::size_t size);

}  // namespace vml
