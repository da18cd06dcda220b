// A small file's whole text. Reads the system.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace vml {

// Nothing where it cannot be read, with the reason in errno. For files of the kernel's and the user's own,
// not for what may be endless.
[[nodiscard]] std::optional<std::string> read_file(const std::filesystem::path& path);

}  // namespace vml
