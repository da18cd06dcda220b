#include "base/probe_mark.h"

namespace vml {

bool has_probe_mark(std::uint32_t xid, std::span<const std::uint8_t> options) {
    constexpr std::uint32_t upper_half = 0xFFFF0000;
    if ((xid & upper_half) != probe_number) {
        return false;
    }
    std::size_t at = 0;
    for (const std::uint8_t expected : probe_options) {
        const bool there = at < options.size() && options[at] == expected;
        if (!there && expected != 77 && expected != 61) {
            return false;
        }
        at += there ? 1 : 0;
    }
    return true;
}

}  // namespace vml
