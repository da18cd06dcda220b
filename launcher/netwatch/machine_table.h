// The machines of a watch as a table for a terminal. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "capture/live.h"

namespace vml::netwatch {

struct ScreenSize {
    std::size_t rows = 24;
    std::size_t columns = 80;
};

// Lines of ASCII without their newlines, of which none is wider than the screen or commands it: no more than
// half the screen. Who is under way comes first. Empty where there is no machine, and where the screen has
// fewer than least_rows. `now` in seconds since 1970.
inline constexpr std::size_t least_rows = 6;
[[nodiscard]] std::vector<std::string> table_of(const std::vector<capture::MachineNow>& machines, double now,
                                                const ScreenSize& screen);

// Takes a table away whose lines are so wide, and which stands above the cursor: also where the screen has
// become narrower since, and its terminal broke them.
[[nodiscard]] std::string wiping(const std::vector<std::size_t>& widths, const ScreenSize& screen);

}  // namespace vml::netwatch
