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

// Lines without their newlines, of which none is wider than the screen or commands it: no more than half the
// screen. Who is under way comes first. Empty where there is no machine. `now` in seconds since 1970.
[[nodiscard]] std::vector<std::string> table_of(const std::vector<capture::MachineNow>& machines, double now,
                                                const ScreenSize& screen);

}  // namespace vml::netwatch
