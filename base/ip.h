// Addresses of IP, in network byte order.
#pragma once

#include <array>
#include <cstdint>

namespace vml {

using Ip4 = std::array<std::uint8_t, 4>;
using Ip6 = std::array<std::uint8_t, 16>;

}  // namespace vml
