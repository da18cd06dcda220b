// What the parts of the report have of each other. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bootwatch/record.h"

namespace vml::boot {

// What may be left out of a boot's record: its key in the report, and people's words for it.
struct LeftOutRow {
    std::uint64_t LeftOut::*count;
    const char* key;
    std::string_view words;
};
inline constexpr std::array<LeftOutRow, 10> left_out_rows{
    {{&LeftOut::boots, "boots", "boots after this one"},
     {&LeftOut::marks, "stages", "stages"},
     {&LeftOut::talks, "dhcp", "talks with DHCP servers"},
     {&LeftOut::offers, "offers", "DHCP offers"},
     {&LeftOut::refusals, "refusals", "DHCP refusals"},
     {&LeftOut::fetches, "fetches", "fetches and connections"},
     {&LeftOut::lookups, "lookups", "DNS lookups"},
     {&LeftOut::complaints, "ipxe_errors", "iPXE errors"},
     {&LeftOut::firmware_errors, "firmware_errors", "firmware errors"},
     {&LeftOut::unanswered, "unanswered_arp", "unanswered ARP requests"}}};

// As HTML and SVG take it, in UTF-8: everything that comes from the guest or the network.
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

// What happened when, the earliest first, and whose each answer was. `end` is the boot's.
[[nodiscard]] std::vector<Bar> bars_of(const Boot& boot, double end, std::string_view own_url);
// The same as a picture.
[[nodiscard]] std::string waterfall_svg(const Boot& boot, double end, std::string_view own_url);

// The page's style sheet.
extern const std::string_view report_style;

}  // namespace vml::boot
