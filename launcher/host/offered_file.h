// Files as vm-launch is to serve them by itself. Reads them.
#pragma once

#include <filesystem>

#include <sys/types.h>

#include "launcher/vm/facts.h"

namespace vml {

// errno of opening it without the privileges that vm-launch starts with, for which it needs `needed`, bits of
// "others" (S_IROTH, S_IXOTH); 0: it can be opened.
[[nodiscard]] int plain_read_obstacle(const std::filesystem::path& path, mode_t needed);

[[nodiscard]] OfferedFile look_at_offered(const std::filesystem::path& path);

}  // namespace vml
