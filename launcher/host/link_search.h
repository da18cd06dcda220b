// Finds the links in the folder that is served which lead elsewhere. Reads folders.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "launcher/vm/outside_links.h"

namespace vml {

// Those that vm-launch's HTTP server refuses (serve::open_beneath: links out of the folder, and absolute
// ones) and QEMU's TFTP server follows: among the folder's own entries and `names`, which are below it. Looks
// at no more than `most_entries` entries, and goes into no folder.
[[nodiscard]] std::vector<OutsideLink> outside_links(const std::filesystem::path& folder,
                                                     const std::vector<std::string>& names);

// The same among these names alone.
[[nodiscard]] std::vector<OutsideLink> outside_links_among(const std::filesystem::path& folder,
                                                           const std::vector<std::string>& names);

inline constexpr std::size_t most_entries = 1000;

}  // namespace vml
