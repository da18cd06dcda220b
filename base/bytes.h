// Bounds-checked reading of bytes that nobody vouches for: files and frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vml {

// A view of bytes; owns nothing. All offsets and counts are in bytes. A byte past the end reads as 0: so it
// does for an option ROM in the guest, whose BAR QEMU rounds up to a power of two and leaves zero after the
// file (hw/pci/pci.c, pci_add_option_rom).
class Bytes {
  public:
    explicit Bytes(std::span<const std::uint8_t> data) noexcept : data_{data} {}

    [[nodiscard]] std::size_t size() const noexcept { return data_.size(); }
    [[nodiscard]] bool has(std::size_t offset, std::size_t count) const noexcept {
        return offset <= data_.size() && count <= data_.size() - offset;
    }
    [[nodiscard]] std::uint8_t u8(std::size_t offset) const noexcept {
        return offset < data_.size() ? data_[offset] : std::uint8_t{0};
    }
    [[nodiscard]] std::uint16_t u16(std::size_t offset) const noexcept;
    [[nodiscard]] std::uint32_t u32(std::size_t offset) const noexcept;
    // In network byte order.
    [[nodiscard]] std::uint16_t be16(std::size_t offset) const noexcept;
    [[nodiscard]] std::uint32_t be32(std::size_t offset) const noexcept;
    [[nodiscard]] std::uint64_t be64(std::size_t offset) const noexcept;
    [[nodiscard]] bool starts(std::size_t offset, std::string_view expected) const noexcept;
    // The sum of the bytes modulo 256, as option ROM checksums are made; what lies past the end counts as 0.
    [[nodiscard]] std::uint8_t sum(std::size_t offset, std::size_t count) const noexcept;
    // The NUL-terminated text at an offset, at most `limit` characters; what is not printable ASCII becomes
    // '?', so that it is safe on a terminal and in JSON.
    [[nodiscard]] std::string text(std::size_t offset, std::size_t limit) const;
    // The part of the view that [offset, offset + count) covers; may be shorter, or empty.
    [[nodiscard]] Bytes part(std::size_t offset, std::size_t count) const noexcept;
    // Everything from an offset on.
    [[nodiscard]] Bytes from(std::size_t offset) const noexcept { return part(offset, data_.size()); }
    // The bytes as characters, whatever they are; valid as long as what is viewed.
    [[nodiscard]] std::string_view chars() const noexcept;

  private:
    std::span<const std::uint8_t> data_;
};

// Characters seen as bytes; valid as long as they are.
[[nodiscard]] Bytes bytes_of(std::string_view chars) noexcept;

[[nodiscard]] constexpr bool is_printable(std::uint8_t byte) noexcept {
    return byte >= 0x20 && byte < 0x7F;
}

}  // namespace vml
