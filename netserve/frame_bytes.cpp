#include "netserve/frame_bytes.h"

namespace vml::serve {

std::string be16(std::size_t value) {
    return {static_cast<char>(value >> 8U & 0xFFU), static_cast<char>(value & 0xFFU)};
}

std::string be32(std::uint32_t value) {
    return be16(value >> 16U) + be16(value);
}

std::size_t checksum(std::string_view bytes) {
    std::size_t sum = 0;
    for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
        sum += static_cast<std::size_t>(static_cast<std::uint8_t>(bytes[at])) << 8U |
               static_cast<std::uint8_t>(bytes[at + 1]);
    }
    while (sum > 0xFFFFU) {
        sum = (sum & 0xFFFFU) + (sum >> 16U);
    }
    return ~sum & 0xFFFFU;
}

}  // namespace vml::serve
