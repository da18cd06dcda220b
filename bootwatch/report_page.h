// What the parts of the report's page have of each other. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "bootwatch/record.h"

namespace vml::boot {

// As HTML and SVG take it: everything that comes from the guest or the network.
[[nodiscard]] std::string escaped(std::string_view text);
// The same, with an ellipsis where it is too long for its place.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t most);

// A bar of the waterfall.
struct Bar {
    std::string label;
    double began = 0;
    double ended = 0;
    std::string_view colour;
    std::string note;
    bool point = false;  // a moment rather than a span
};

// What happened when, the earliest first. `end` is the boot's.
[[nodiscard]] std::vector<Bar> bars_of(const Boot& boot, double end);
// The same as a picture.
[[nodiscard]] std::string waterfall_svg(const Boot& boot, double end);

// The page's style sheet.
extern const std::string_view report_style;

}  // namespace vml::boot
