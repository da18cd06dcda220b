// What a file is, by its first bytes. Pure.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.h"

namespace vml::boot {

enum class Content {
    unknown,
    ipxe_script,     // "#!ipxe"
    x86_kernel,      // Linux bzImage (Documentation/arch/x86/boot.rst: "HdrS" at 0x202)
    aarch64_kernel,  // Linux Image (Documentation/arch/arm64/booting.rst: "ARMd" at 0x38)
    efi_x86_64,      // PE/COFF program for the machine (Microsoft PE Format, "Machine Types")
    efi_i386,
    efi_aarch64,
    efi_other,
    elf,
    archive,  // compressed or cpio: an initramfs, mostly
    html,     // an error page that came with status 200
    picture,  // of a menu's background
    text,
};

// As many bytes as the longest mark needs; fewer are welcome.
inline constexpr std::size_t content_head = 0x206;

// Some editors write it before UTF-8; to iPXE a script that begins with it is none.
inline constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

[[nodiscard]] Content classify(Bytes head);

// "an iPXE script", "an x86 Linux kernel"
[[nodiscard]] std::string_view describe(Content content);
// "ipxe-script": in the report.
[[nodiscard]] std::string_view name_of(Content content);

}  // namespace vml::boot
