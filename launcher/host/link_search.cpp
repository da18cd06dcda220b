#include "launcher/host/link_search.h"

#include <cerrno>
#include <set>
#include <system_error>

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

std::vector<OutsideLink> outside_links_among(const fs::path& folder, const std::vector<std::string>& names) {
    std::vector<OutsideLink> links;
    for (const std::string& name : serve::leading_out(folder.string(), names)) {
        links.push_back(followed(folder, name));
    }
    return links;
}

std::vector<OutsideLink> outside_links(const fs::path& folder, const std::vector<std::string>& names) {
    std::set<std::string> candidates;
    for (const std::string& name : names) {
        if (!fs::path{name}.lexically_normal().string().starts_with("..")) {
            candidates.insert(name);
        }
    }
    add_links_at_the_top(folder, candidates);
    return outside_links_among(folder, {candidates.begin(), candidates.end()});
}

}  // namespace vml
