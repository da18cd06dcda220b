// Where a boot's seconds went. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "bootwatch/record.h"

namespace vml::boot {

// What the boot was busy with, or waited for, for so many seconds; what has one name is added up.
struct Spent {
    std::string what;
    double seconds = 0;

    bool operator==(const Spent&) const = default;
};

// The bars of the report's waterfall, the longest first; none of what comes once the operating system runs,
// and none that is shorter than `shortest_spent_s`. At most `most`. `end` is the boot's, `own_url` the
// report's.
[[nodiscard]] std::vector<Spent> spent_by(const Boot& boot, double end, std::string_view own_url,
                                          std::size_t most);

// Of a boot that takes seconds less tells nobody anything.
inline constexpr double shortest_spent_s = 0.1;

}  // namespace vml::boot
