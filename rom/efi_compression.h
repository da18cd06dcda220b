// Unpacks what UEFI firmware unpacks: option ROMs of compression type 1 (UEFI specification 2.10, chapter 19,
// "Compression Algorithm Specification"; Huffman codes over LZ77 with a window of 8 KiB). Pure: bytes in,
// bytes or a reason out.
//
// What the specification leaves open is as edk2 has it (MdePkg/Library/BaseUefiDecompressLib): past the end
// of the data bits are 0, and what remains when all bytes are there is not looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"

namespace vml::rom {

// Why something cannot be unpacked.
enum class CompressionFault {
    no_header,  // shorter than the two sizes that it begins with
    cut_short,  // the compressed size says more than there is
    too_large,  // the original size is above the limit: nothing was allocated
    bad_code,   // a Huffman code that is not one, or not complete
    bad_data,   // a reference to what lies before the first byte, or the data end before the last one
};

// "its data end too early": a clause about a compressed image.
[[nodiscard]] std::string_view to_string(CompressionFault fault);

// The UEFI specification has no limit but the four bytes of the size. An option ROM image that is not packed
// cannot be longer than 65,535 units of 512 bytes, 32 MiB less 512 bytes (PCI Firmware Specification 3.x,
// 5.1.2): nothing that could not be in a ROM otherwise is unpacked. iPXE's whole driver of 2019 has 174 kB.
inline constexpr std::size_t largest_unpacked = std::size_t{65535} * 512;

// The original bytes, exactly as many as the header says, which is `limit` at most.
[[nodiscard]] std::variant<std::vector<std::uint8_t>, CompressionFault> unpack_efi(const Bytes& packed,
                                                                                   std::size_t limit);

}  // namespace vml::rom
