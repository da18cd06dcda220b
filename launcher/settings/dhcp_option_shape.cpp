#include "launcher/settings/dhcp_option_shape.h"

#include <algorithm>
#include <array>

namespace vml {

bool OptionShape::fits(std::string_view value) const {
    constexpr std::size_t shortest_route = 5;  // a prefix of no bytes, and its router
    if (kind == Kind::routes) {
        return value.size() >= shortest_route;
    }
    return !value.empty() && value.size() % unit == 0 && (several || value.size() == unit) &&
           (kind != Kind::on_off || value[0] == '\0' || value[0] == '\1');
}

std::string_view OptionShape::words() const {
    switch (kind) {
        case Kind::addresses:
            return several ? "one or more IPv4 addresses" : "one IPv4 address";
        case Kind::pairs:
            return "pairs of IPv4 addresses";
        case Kind::numbers:
            if (several) {
                return "numbers of 16 bits";
            }
            return unit == 1   ? "a number of 8 bits"
                   : unit == 2 ? "a number of 16 bits"
                               : "a number of 32 bits";
        case Kind::on_off:
            return "0 or 1, as one byte";
        case Kind::routes:
            return "routes of at least 5 bytes";
    }
    return "";
}

std::string_view OptionShape::form() const {
    switch (kind) {
        case Kind::addresses:
        case Kind::pairs:
            return "ip:";
        case Kind::numbers:
        case Kind::on_off:
            if (several) {
                return "hex:";
            }
            return unit == 1 ? "u8:" : unit == 2 ? "u16:" : "u32:";
        case Kind::routes:
            return "hex:";
    }
    return "";
}

// RFC 2132, 3 to 8, and RFC 3442, in the order of their codes.
const OptionShape* shape_of_option(std::uint8_t code) {
    using Kind = OptionShape::Kind;
    static constexpr OptionShape addresses{Kind::addresses, 4, true};
    static constexpr OptionShape address{Kind::addresses, 4, false};
    static constexpr OptionShape pairs{Kind::pairs, 8, true};
    static constexpr OptionShape u8{Kind::numbers, 1, false};
    static constexpr OptionShape u16{Kind::numbers, 2, false};
    static constexpr OptionShape u16_list{Kind::numbers, 2, true};
    static constexpr OptionShape u32{Kind::numbers, 4, false};
    static constexpr OptionShape on_off{Kind::on_off, 1, false};
    static constexpr OptionShape routes{Kind::routes, 1, true};
    struct Codes {
        std::uint8_t first;
        std::uint8_t last;
        const OptionShape* shape;
    };
    static constexpr auto known = std::to_array<Codes>({
        {1, 1, &address},    {2, 2, &u32},         {3, 11, &addresses},  {16, 16, &address},
        {19, 20, &on_off},   {21, 21, &pairs},     {22, 22, &u16},       {23, 23, &u8},
        {24, 24, &u32},      {25, 25, &u16_list},  {26, 26, &u16},       {27, 27, &on_off},
        {28, 28, &address},  {29, 31, &on_off},    {32, 32, &address},   {33, 33, &pairs},
        {34, 34, &on_off},   {35, 35, &u32},       {36, 36, &on_off},    {37, 37, &u8},
        {38, 38, &u32},      {39, 39, &on_off},    {41, 42, &addresses}, {44, 45, &addresses},
        {46, 46, &u8},       {48, 49, &addresses}, {65, 65, &addresses}, {68, 76, &addresses},
        {121, 121, &routes},
    });
    const auto* const row = std::find_if(known.begin(), known.end(), [&](const Codes& codes) {
        return codes.first <= code && code <= codes.last;
    });
    return row == known.end() ? nullptr : row->shape;
}

}  // namespace vml
