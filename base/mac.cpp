#include "base/mac.h"

#include <fmt/format.h>

#include "base/text.h"

namespace vml {

std::optional<Mac> mac_from_text(std::string_view text) {
    Mac mac{};
    constexpr int hexadecimal = 16;
    constexpr std::size_t step = 3;  // "52:"
    if (text.size() != step * mac.size() - 1) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < mac.size(); ++i) {
        const auto octet = whole_number<std::uint8_t>(text.substr(step * i, 2), hexadecimal);
        if (!octet || (i > 0 && text[step * i - 1] != ':')) {
            return std::nullopt;
        }
        mac.at(i) = *octet;
    }
    return mac;
}

std::string mac_text(const Mac& mac) {
    return fmt::format("{:02x}", fmt::join(mac, ":"));
}

}  // namespace vml
