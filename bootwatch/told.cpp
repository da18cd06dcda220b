#include "bootwatch/told.h"

#include <algorithm>
#include <functional>
#include <string_view>

namespace vml::boot {

namespace {

std::size_t most_told(const Mark& mark) {
    if (mark.stage != Stage::fetch) {
        return most_marks;
    }
    return mark.proves ? most_fetch_marks : most_failures_told;
}

// A file that comes again takes another time each time; one that fails may do so in another way.
std::size_t kind_of(const Mark& mark) {
    const std::string_view detail = mark.detail;
    return std::hash<std::string_view>{}(mark.proves ? detail.substr(0, detail.find(": ")) : detail);
}

}  // namespace

bool Told::takes(const Mark& mark, bool new_stage) {
    constexpr std::size_t most_kinds = 64;
    Share& share = shares_[{mark.stage, mark.proves}];
    const std::size_t kind = kind_of(mark);
    const bool repeats = std::erase(share.kinds, kind) > 0;
    share.kinds.push_back(kind);
    if (share.kinds.size() > most_kinds) {
        share.kinds.erase(share.kinds.begin());
    }
    const bool within = repeats ? ++share.repeats <= most_repeats_told : ++share.fresh <= most_told(mark);
    const auto last = proved_.find(mark.stage);
    const bool turned = mark.proves && last != proved_.end() && !last->second;
    if (!within && !new_stage && !turned) {
        return false;
    }
    proved_[mark.stage] = mark.proves;
    return true;
}

}  // namespace vml::boot
