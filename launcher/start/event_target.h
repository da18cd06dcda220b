// Where --events goes, from the start of a run on. Makes system calls.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/fd.h"

namespace vml {

// The file, made, or emptied where it holds events; any other that is not empty is refused as it is, and so
// is a block device. It never waits, also where it is a pipe that nobody reads yet: what is written is there
// for a reader who comes. `origin` is the setting that names it. Throws Error.
[[nodiscard]] OwnedFd open_event_file(const std::filesystem::path& path, std::string_view origin);

// A descriptor that vm-launch was started with, and which QEMU will not have. To be called before anything is
// opened. Throws Error when there is none of that number, or nothing can be written to it.
[[nodiscard]] OwnedFd given_descriptor(int number, std::string_view origin);

}  // namespace vml
