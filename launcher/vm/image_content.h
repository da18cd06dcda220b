// What a file that is to be a disk or a CD holds, by its beginning: so that what QEMU would take for a raw
// disk, or refuse once it is started, is told before. Pure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/bytes.h"

namespace vml {

struct ImageContent {
    bool empty = false;   // it is a file of no bytes
    std::string packing;  // "gzip": it must be unpacked first
    std::string magic;    // the image format whose mark it begins with, as QEMU names it; empty: none

    bool operator==(const ImageContent&) const = default;
};

// Every mark lies within so many bytes.
inline constexpr std::size_t marked_beginning = 512;

[[nodiscard]] ImageContent content_of_image(const Bytes& head, std::uint64_t size);

// Why the file cannot be an image of that format ("" where nobody says one), and the command that mends it.
struct ContentFault {
    std::string why;  // empty: nothing stands in the way
    std::string hint;
};
[[nodiscard]] ContentFault fault_of_content(const ImageContent& content, const std::string& stated,
                                            const std::filesystem::path& path);

}  // namespace vml
