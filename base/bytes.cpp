#include "base/bytes.h"

#include <algorithm>
#include <numeric>

namespace vml {

std::uint16_t Bytes::u16(std::size_t offset) const noexcept {
    return static_cast<std::uint16_t>(u8(offset) | (u8(offset + 1) << 8U));
}

std::uint32_t Bytes::u32(std::size_t offset) const noexcept {
    return u16(offset) | (static_cast<std::uint32_t>(u16(offset + 2)) << 16U);
}

std::uint16_t Bytes::be16(std::size_t offset) const noexcept {
    return static_cast<std::uint16_t>((u8(offset) << 8U) | u8(offset + 1));
}

std::uint32_t Bytes::be32(std::size_t offset) const noexcept {
    return (static_cast<std::uint32_t>(be16(offset)) << 16U) | be16(offset + 2);
}

std::uint64_t Bytes::be64(std::size_t offset) const noexcept {
    return (static_cast<std::uint64_t>(be32(offset)) << 32U) | be32(offset + 4);
}

std::string_view Bytes::chars() const noexcept {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes seen as characters
    return {reinterpret_cast<const char*>(data_.data()), data_.size()};
}

bool Bytes::starts(std::size_t offset, std::string_view expected) const noexcept {
    if (!has(offset, expected.size())) {
        return false;
    }
    const auto found = data_.subspan(offset, expected.size());
    return std::equal(found.begin(), found.end(), expected.begin(),
                      [](std::uint8_t byte, char c) { return byte == static_cast<std::uint8_t>(c); });
}

std::uint8_t Bytes::sum(std::size_t offset, std::size_t count) const noexcept {
    const auto bytes = part(offset, count).data_;
    return static_cast<std::uint8_t>(std::accumulate(bytes.begin(), bytes.end(), 0U) & 0xFFU);
}

std::string Bytes::text(std::size_t offset, std::size_t limit) const {
    std::string text;
    for (const std::uint8_t byte : part(offset, limit).data_) {
        if (byte == 0) {
            break;
        }
        text += is_printable(byte) ? static_cast<char>(byte) : '?';
    }
    return text;
}

Bytes Bytes::part(std::size_t offset, std::size_t count) const noexcept {
    const std::size_t first = std::min(offset, data_.size());
    return Bytes{data_.subspan(first, std::min(count, data_.size() - first))};
}

Bytes bytes_of(std::string_view chars) noexcept {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): characters seen as bytes
    return Bytes{{reinterpret_cast<const std::uint8_t*>(chars.data()), chars.size()}};
}

}  // namespace vml
