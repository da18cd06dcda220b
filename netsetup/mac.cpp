#include "netsetup/mac.h"

#include <charconv>

#include <fmt/format.h>

namespace vml::net {

std::optional<Mac> parse_mac(std::string_view text) {
    Mac mac{};
    if (text.size() != 3 * mac.size() - 1) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < mac.size(); ++i) {
        const std::string_view pair = text.substr(3 * i, 2);
        const auto [end, error] = std::from_chars(pair.begin(), pair.end(), mac.at(i), 16);
        const bool separated = i == 0 || text[3 * i - 1] == ':';
        if (error != std::errc{} || end != pair.end() || !separated) {
            return std::nullopt;
        }
    }
    return mac;
}

std::string to_text(const Mac& mac) {
    return fmt::format("{:02x}", fmt::join(mac, ":"));
}

Mac tap_mac_for(const Mac& guest) {
    Mac mac = guest;
    mac[0] = guest[0] == 0xFE ? 0xFA : 0xFE;
    return mac;
}

}  // namespace vml::net
