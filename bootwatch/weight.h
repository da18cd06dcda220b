// How large a record is, and how it is made lighter. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "bootwatch/record.h"

namespace vml::boot {

// Not less than the bytes that a boot takes in a report, of either kind, or in memory, and little more.
[[nodiscard]] std::size_t weight_of(const Boot& boot);
[[nodiscard]] std::size_t weight_of(const std::vector<Boot>& boots);

// The boots together weigh no more than this, so far as they can. The heaviest ones give, the latest one only
// what it has above half of it. What goes is the middle of each list, the longest first, and is counted. Each
// boot keeps what first showed each of its stages.
void lighten(std::vector<Boot>& boots, std::size_t most);

// What a record may weigh in a report, and once a boot is over. The rest of the largest report is for its
// head.
inline constexpr std::size_t most_reported = std::size_t{7} << 19;

// Of a stage's marks so many stay, at least 2: the first ones, the first proof and the latest ones.
void keep_marks(Boot& boot, Stage stage, std::size_t most);

}  // namespace vml::boot
