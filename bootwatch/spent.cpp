#include "bootwatch/spent.h"

#include <algorithm>

#include "bootwatch/bounds.h"
#include "bootwatch/report_page.h"

namespace vml::boot {

namespace {

constexpr std::size_t longest_name = 40;

void add(std::vector<Spent>& all, std::string_view what, double seconds) {
    const std::string name = cut_to(what, longest_name);
    const auto same =
        std::find_if(all.begin(), all.end(), [&](const Spent& one) { return one.what == name; });
    if (same == all.end()) {
        all.push_back({name, seconds});
    } else {
        same->seconds += seconds;
    }
}

}  // namespace

std::vector<Spent> spent_by(const Boot& boot, double end, std::string_view own_url, std::size_t most) {
    const double last = std::min(end, boot.time_of(Stage::os).value_or(end));
    std::vector<Spent> all;
    for (const Bar& bar : bars_of(boot, end, own_url)) {
        if (!bar.point && bar.began < last) {
            add(all, bar.label, std::min(bar.ended, last) - bar.began);
        }
    }
    std::erase_if(all, [](const Spent& one) { return one.seconds < shortest_spent_s; });
    std::stable_sort(all.begin(), all.end(),
                     [](const Spent& a, const Spent& b) { return a.seconds > b.seconds; });
    all.resize(std::min(all.size(), most));
    return all;
}

}  // namespace vml::boot
