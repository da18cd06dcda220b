#include "launcher/outside_links.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>

#include <fmt/format.h>

#include "netserve/folder.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

void add_links_at_the_top(const fs::path& folder, std::set<std::string>& names) {
    std::error_code error;
    fs::directory_iterator entry{folder, error};
    for (std::size_t seen = 0; !error && entry != fs::directory_iterator{} && seen < most_entries; ++seen) {
        std::error_code ignored;
        if (entry->is_symlink(ignored)) {
            names.insert(entry->path().filename().string());
        }
        entry.increment(error);
    }
}

OutsideLink followed(const fs::path& folder, const std::string& name) {
    std::error_code error;
    const fs::path target = fs::canonical(folder / name, error);
    return error ? OutsideLink{name, fs::read_symlink(folder / name, error), false}
                 : OutsideLink{name, target, true};
}

}  // namespace

std::vector<OutsideLink> outside_links(const fs::path& folder, const std::vector<std::string>& names) {
    std::set<std::string> candidates;
    for (const std::string& name : names) {
        if (!fs::path{name}.lexically_normal().string().starts_with("..")) {
            candidates.insert(name);
        }
    }
    add_links_at_the_top(folder, candidates);
    std::vector<OutsideLink> links;
    for (const std::string& name :
         serve::leading_out(folder.string(), {candidates.begin(), candidates.end()})) {
        links.push_back(followed(folder, name));
    }
    return links;
}

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
