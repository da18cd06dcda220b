// Links in the folder that is served which lead elsewhere. Pure.
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

// Those that lead to something, and those that lead nowhere.
[[nodiscard]] std::pair<std::vector<OutsideLink>, std::vector<OutsideLink>> parted_links(
    const std::vector<OutsideLink>& links);

// For the user: the first of them, and how many more there are. `links` is not empty.
[[nodiscard]] std::string words_for(const std::vector<OutsideLink>& links);

}  // namespace vml
