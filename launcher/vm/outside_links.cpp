#include "launcher/vm/outside_links.h"

#include <fmt/format.h>

namespace vml {

std::pair<std::vector<OutsideLink>, std::vector<OutsideLink>> parted_links(
    const std::vector<OutsideLink>& links) {
    std::pair<std::vector<OutsideLink>, std::vector<OutsideLink>> parted;
    for (const OutsideLink& link : links) {
        (link.exists ? parted.first : parted.second).push_back(link);
    }
    return parted;
}

std::string words_for(const std::vector<OutsideLink>& links) {
    const std::string more = links.size() > 1 ? fmt::format(" (and {} more)", links.size() - 1) : "";
    return fmt::format("{} -> {}{}", links.front().name, links.front().target.string(), more);
}

}  // namespace vml
