// Where a path leads that is to be written to, and that nobody else chose. Makes system calls.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <sys/stat.h>

#include "base/fd.h"

namespace vml {

struct TrustedPlace {
    OwnedFd folder;
    std::string name;                  // in it, and no link; "." where the path leads to a folder's root
    std::optional<struct stat> found;  // none: there is nothing of that name
};

// Follows the links of `path`, whose last name need not be there. In a folder that anybody may write to and
// where each deletes what is his (/tmp: mode 1777), a link or a pipe of a user other than root and the
// caller's own may be planted, and is refused with EPERM: Linux does so with links where
// fs.protected_symlinks is 1 (Documentation/admin-guide/sysctl/fs.rst). Throws std::system_error.
[[nodiscard]] TrustedPlace trusted_place(const std::filesystem::path& path);

}  // namespace vml
