// An IPv4 address. Pure.
#pragma once

#include <array>
#include <cstdint>

namespace vml::serve {

// In network byte order.
using Ipv4 = std::array<std::uint8_t, 4>;

}  // namespace vml::serve
