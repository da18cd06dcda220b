// What a file that is to be a disk or a CD holds, by its beginning: so that what QEMU would take for a raw
// disk, or refuse once it is started, is told before. Pure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/bytes.h"
#include "launcher/vm/qcow2_header.h"

namespace vml {

// Every mark lies within so many bytes of the beginning or the end.
inline constexpr std::size_t marked_beginning = 512;

struct ImageContent {
    bool empty = false;   // it is a file of no bytes
    bool page = false;    // it is HTML or XML: a server's answer in place of the image
    std::string packing;  // "gzip": it must be unpacked first
    std::string magic;    // the image format whose mark it begins with, as QEMU names it; empty: none

    bool fixed_vhd = false;  // the mark of a VHD is at its end alone, which QEMU does not look for
    std::uint64_t size = marked_beginning;  // bytes
    std::uint64_t needed = 0;               // bytes that it has where it is whole, as far as its tables say

    bool bare_cd = false;  // a CD without the boot record that would make a disk of it too
    Qcow2State state{};    // where it is a qcow2 image

    bool operator==(const ImageContent&) const = default;
};

// `head`: its beginning; `tail`: its last so many bytes, where it is long enough.
[[nodiscard]] ImageContent content_of_image(const Bytes& head, std::uint64_t size,
                                            const Bytes& tail = Bytes{{}});

// `descriptor`: what lies at cd_descriptor_at (ECMA-119, 8.4); `head`: the file's beginning.
inline constexpr std::uint64_t cd_descriptor_at = std::uint64_t{16} * 2048;
inline constexpr std::size_t cd_descriptor_mark = 6;
[[nodiscard]] bool is_bare_cd(const Bytes& head, const Bytes& descriptor);

// Why the file cannot be an image of that format ("" where nobody says one), and the command that mends it.
struct ContentFault {
    std::string why;  // empty: nothing stands in the way
    std::string hint;
    bool but_raw = false;  // a raw disk may be so
};
[[nodiscard]] ContentFault fault_of_content(const ImageContent& content, const std::string& stated,
                                            const std::filesystem::path& path);
// Likewise of a CD, whose bytes the guest gets as they are.
[[nodiscard]] ContentFault fault_of_cd(const ImageContent& content, const std::filesystem::path& path);
// Likewise of an image that another one lies on, of the format that the upper one says.
[[nodiscard]] ContentFault fault_of_layer(const ImageContent& content, const std::string& format,
                                          const std::filesystem::path& path);

}  // namespace vml
