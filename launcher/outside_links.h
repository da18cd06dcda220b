// Links in the folder that is served which lead elsewhere. Reads folders.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace vml {

struct OutsideLink {
    std::string name;              // in the folder: "boot/vmlinuz"
    std::filesystem::path target;  // where it leads in the end; where nothing is, what it says itself
    bool exists = false;           // something is there

    bool operator==(const OutsideLink&) const = default;
};

// Those that vm-launch's HTTP server refuses (serve::open_beneath: links out of the folder, and absolute
// ones) and QEMU's TFTP server follows: among the folder's own entries and `names`, which are below it. Looks
// at no more than `most_entries` entries, and goes into no folder.
[[nodiscard]] std::vector<OutsideLink> outside_links(const std::filesystem::path& folder,
                                                     const std::vector<std::string>& names);

inline constexpr std::size_t most_entries = 1000;

// Those that lead to something, and those that lead nowhere.
[[nodiscard]] std::pair<std::vector<OutsideLink>, std::vector<OutsideLink>> parted_links(
    const std::vector<OutsideLink>& links);

// For the user: the first of them, and how many more there are. `links` is not empty.
[[nodiscard]] std::string words_for(const std::vector<OutsideLink>& links);

}  // namespace vml
