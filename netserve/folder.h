// A folder that is read and nothing else. Makes system calls.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"

namespace vml::serve {

struct FoundFile {
    OwnedFd fd;
    std::uint64_t size = 0;  // bytes
    int error = 0;           // errno where there is no descriptor; ENOENT also for what is no regular file
};

// Opens a regular file below the folder. No name leads out of it, neither by ".." nor by a link (openat2 with
// RESOLVE_BENEATH, Linux 5.6).
[[nodiscard]] FoundFile open_beneath(int folder, const std::string& name);

// errno of opening a folder that way; 0: it can be served.
[[nodiscard]] int folder_obstacle(const std::string& folder);

}  // namespace vml::serve
