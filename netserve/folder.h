// A folder and single files that are read and nothing else. Makes system calls.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

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

// What is served: some files, and for every other name a folder.
struct Content {
    struct File {
        std::string name;   // in the URL's path
        OwnedFd fd;         // the file itself, or the folder that it is in
        std::string below;  // its name in that folder, where it is opened anew each time; empty: it is `fd`
    };
    OwnedFd folder;  // none: the files alone
    std::vector<File> files;
};
[[nodiscard]] FoundFile open_in(const Content& content, const std::string& name);

// Opens a file of what is served, by its name in there.
using OpenFile = std::function<FoundFile(const std::string& name)>;

// errno of opening a folder that way; 0: it can be served.
[[nodiscard]] int folder_obstacle(const std::string& folder);

// Those of these names that a link leads out of the folder, or by an absolute path: open_beneath refuses
// them.
[[nodiscard]] std::vector<std::string> leading_out(const std::string& folder,
                                                   const std::vector<std::string>& names);

}  // namespace vml::serve
