// The timeline's part for what a loader looks for under many names: pxelinux its configuration (pxelinux.cfg
// by UUID, MAC and address), GRUB its lists, shim its revocations.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "bootwatch/timeline.h"
#include "bootwatch/weight.h"

namespace vml::boot {

namespace {

// The folder that all of them are in, with its slash.
std::string folder_of(const std::vector<std::string>& urls) {
    std::string_view common = urls.front();
    for (const std::string_view url : urls) {
        const auto* const end = std::mismatch(common.begin(), common.end(), url.begin(), url.end()).first;
        common = common.substr(0, static_cast<std::size_t>(end - common.begin()));
    }
    return std::string{common.substr(0, common.rfind('/') + 1)};
}

std::string search_text(const std::vector<std::string>& urls, const Fetch* found) {
    const std::string folder = folder_of(urls);
    const bool here = found != nullptr && found->state == FetchState::done && found->url.starts_with(folder);
    return fmt::format("{}: looked for {} names from {} to {}, {}", folder, urls.size(),
                       urls.front().substr(folder.size()), urls.back().substr(folder.size()),
                       here ? "took " + found->url.substr(folder.size()) : "none is there");
}

}  // namespace

bool Timeline::is_searched(double at, const Fetch& fetch) {
    // The same name again is no search, but somebody who waits.
    if (fetch.fault != FetchFault::not_found || !is_asked_by_a_program(fetches_.all(), fetch) ||
        std::find(searched_.begin(), searched_.end(), fetch.url) != searched_.end()) {
        return false;
    }
    if (searched_.size() >= most_searched) {
        tell_search(nullptr);
    }
    search_.push_back({Stage::fetch, at, Proof::wire, cut_to(describe(fetch), longest_detail), false});
    searched_.push_back(fetch.url);
    show_search(nullptr);
    return true;
}

// In the record, in the place of what it shows of the search so far.
void Timeline::show_search(const Fetch* found) {
    constexpr std::size_t worth_a_summary = 3;
    auto& marks = current().marks;
    marks.resize(marks.size() - shown_of_search_);
    if (search_.size() < worth_a_summary) {
        marks.insert(marks.end(), search_.begin(), search_.end());
        shown_of_search_ = search_.size();
        return;
    }
    marks.push_back({Stage::fetch, search_.back().at, Proof::wire,
                     cut_to(search_text(searched_, found), longest_detail), false});
    shown_of_search_ = 1;
}

void Timeline::tell_search(const Fetch* found) {
    if (search_.empty()) {
        return;
    }
    show_search(found);
    const auto& marks = current().marks;
    std::for_each(std::prev(marks.end(), static_cast<std::ptrdiff_t>(shown_of_search_)), marks.end(),
                  [this](const Mark& mark) { tell(mark, false); });
    keep_marks(current(), Stage::fetch, most_fetch_marks);
    search_.clear();
    searched_.clear();
    shown_of_search_ = 0;
}

// A search goes on at once.
std::vector<Mark> Timeline::passes(double at) {
    constexpr double over_s = 2;
    if (!search_.empty() && at - search_.back().at > over_s) {
        tell_search(nullptr);
    }
    return news();
}

}  // namespace vml::boot
