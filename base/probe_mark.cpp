#include "base/probe_mark.h"

namespace vml {

bool is_probe_number(std::uint32_t xid) {
    constexpr std::uint32_t upper_half = 0xFFFF0000;
    return (xid & upper_half) == probe_number;
}

bool has_probe_mark(std::uint32_t xid, std::span<const std::uint8_t> options, bool cut) {
    if (!is_probe_number(xid)) {
        return false;
    }
    constexpr std::size_t enough = 4;  // 53, 97, 94, 93: nobody else's
    std::size_t at = 0;
    for (const std::uint8_t expected : probe_options) {
        if (cut && at == options.size() && at >= enough) {
            break;
        }
        const bool there = at < options.size() && options[at] == expected;
        if (!there && expected != 77 && expected != 61) {
            return false;
        }
        at += there ? 1 : 0;
    }
    return true;
}

}  // namespace vml
