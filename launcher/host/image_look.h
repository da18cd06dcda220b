// What a file that is to be a disk or a CD holds. Reads only.
#pragma once

#include <filesystem>

#include "launcher/vm/image_content.h"

namespace vml {

// What cannot be read holds nothing.
[[nodiscard]] ImageContent content_of(const std::filesystem::path& path);

}  // namespace vml
