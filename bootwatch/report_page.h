// What the parts of the report have of each other. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

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

// As HTML and SVG take it, in UTF-8: everything that comes from the guest or the network. What is no sign but
// a command (control characters, those that turn the direction of writing) is a blank or U+FFFD; a URL has no
// login.
[[nodiscard]] std::string escaped(std::string_view text);
// The same where a long URL may go on in the next line: behind a slash or a question mark (HTML alone has
// that).
[[nodiscard]] std::string breakable(std::string_view text);
// As escaped(), with an ellipsis where it is too long for its place.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t most);

// As a <script> that no browser runs takes it: in any text "<", ">" and "&" are escaped as JSON has them.
[[nodiscard]] std::string as_data(const nlohmann::ordered_json& document);

// "1.25 s", "40 ms": as exact as is of use.
[[nodiscard]] std::string duration_text(double seconds);

// A bar of the waterfall.
struct Bar {
    std::string label;
    double began = 0;
    double answered = 0;  // until then the guest waited: for a server, a router or its own patience's end
    double ended = 0;
    std::string_view colour;
    std::string note;
    bool point = false;  // a moment rather than a span
};

// What happened when, the earliest first, and whose each answer was. `end` is the boot's.
[[nodiscard]] std::vector<Bar> bars_of(const Boot& boot, double end, std::string_view own_url);
// The same as pictures, one below the other, none larger than a sheet of paper.
[[nodiscard]] std::string waterfall_svg(const Boot& boot, double end, std::string_view own_url);

// The waterfalls of a page that this program made: the SVGs of each boot.
[[nodiscard]] std::vector<std::string> waterfalls_in(std::string_view page);

// What the colours mean, and the page's style sheet.
extern const std::string_view report_legend;
extern const std::string_view report_style;

}  // namespace vml::boot
