// An Ethernet address.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vml {

using Mac = std::array<std::uint8_t, 6>;

// "52:54:00:12:34:56", or nothing when it is not six pairs of hexadecimal digits with colons between them.
[[nodiscard]] std::optional<Mac> mac_from_text(std::string_view text);

[[nodiscard]] std::string mac_text(const Mac& mac);

}  // namespace vml
