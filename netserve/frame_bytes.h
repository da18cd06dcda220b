// What the frames that are written here have in common. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/mac.h"

namespace vml::serve {

// Whom they come from: locally administered (IEEE 802c, bit 1 of the first octet), and nobody answers there.
inline constexpr Mac our_mac{0x02, 0x56, 0x4D, 0x4C, 0x52, 0x41};

// The lower 16 bits, the highest byte first.
[[nodiscard]] std::string be16(std::size_t value);
[[nodiscard]] std::string be32(std::uint32_t value);

// RFC 1071, over an even number of bytes.
[[nodiscard]] std::size_t checksum(std::string_view bytes);

}  // namespace vml::serve
