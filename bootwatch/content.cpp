#include "bootwatch/content.h"

#include <algorithm>
#include <array>
#include <utility>

namespace vml::boot {

namespace {

using namespace std::string_view_literals;

// gzip RFC 1952; xz file format 2.1.1.1; zstd RFC 8878; bzip2; LZ4 legacy frame, as Linux takes it; cpio
// newc.
constexpr std::array archive_marks{"\x1f\x8b"sv,
                                   "\xfd"
                                   "7zXZ"sv,
                                   "\x28\xb5\x2f\xfd"sv,
                                   "BZh"sv,
                                   "\x02\x21\x4c\x18"sv,
                                   "070701"sv};

bool is_archive(Bytes head) {
    return std::any_of(archive_marks.begin(), archive_marks.end(),
                       [&](std::string_view mark) { return head.starts(0, mark); });
}

// PNG, JPEG, GIF; iPXE's `console --picture` takes PNG.
bool is_picture(Bytes head) {
    return head.starts(0, "\x89PNG\r\n"sv) || head.starts(0, "\xff\xd8\xff"sv) || head.starts(0, "GIF8"sv);
}

bool is_html(Bytes head) {
    constexpr std::array marks{"<!DOCTYPE"sv, "<!doctype"sv, "<html"sv, "<HTML"sv};
    return std::any_of(marks.begin(), marks.end(),
                       [&](std::string_view mark) { return head.starts(0, mark); });
}

// How many bytes a character of UTF-8 has, by its first one (RFC 3629, 3); 0: that is none.
std::size_t utf8_size(std::uint8_t first) {
    const bool line = first == '\n' || first == '\r' || first == '\t';
    return is_printable(first) || line     ? 1
           : first >= 0xC2 && first < 0xE0 ? 2
           : (first & 0xF0U) == 0xE0       ? 3
           : first >= 0xF0 && first < 0xF5 ? 4
                                           : 0;
}

// UTF-8, which may be cut at its end.
bool is_text(Bytes head) {
    for (std::size_t at = 0; at < head.size();) {
        const std::size_t size = utf8_size(head.u8(at));
        for (std::size_t i = 1; i < size && at + i < head.size(); ++i) {
            if ((head.u8(at + i) & 0xC0U) != 0x80) {
                return false;
            }
        }
        if (size == 0) {
            return false;
        }
        at += size;
    }
    return head.size() > 0;
}

Content program(Bytes head) {
    const std::size_t pe = head.u32(0x3C);
    if (!head.starts(pe, "PE\0\0"sv)) {
        return Content::efi_other;
    }
    switch (head.u16(pe + 4)) {
        case 0x8664:
            return Content::efi_x86_64;
        case 0x014C:
            return Content::efi_i386;
        case 0xAA64:
            return Content::efi_aarch64;
        default:
            return Content::efi_other;
    }
}

}  // namespace

Content classify(Bytes head) {
    constexpr std::size_t x86_header = 0x202;
    constexpr std::size_t aarch64_magic = 0x38;
    if (head.starts(0, "#!ipxe"sv)) {
        return Content::ipxe_script;
    }
    if (head.starts(x86_header, "HdrS"sv)) {
        return Content::x86_kernel;
    }
    if (head.starts(aarch64_magic, "ARMd"sv)) {
        return Content::aarch64_kernel;
    }
    if (head.starts(0, "MZ"sv)) {
        return program(head);
    }
    if (head.starts(0,
                    "\x7f"
                    "ELF"sv)) {
        return Content::elf;
    }
    if (is_archive(head)) {
        return Content::archive;
    }
    if (is_picture(head)) {
        return Content::picture;
    }
    if (is_html(head)) {
        return Content::html;
    }
    return is_text(head) ? Content::text : Content::unknown;
}

std::string_view describe(Content content) {
    switch (content) {
        case Content::unknown:
            return "something unknown";
        case Content::ipxe_script:
            return "an iPXE script";
        case Content::x86_kernel:
            return "an x86 Linux kernel";
        case Content::aarch64_kernel:
            return "an AArch64 Linux kernel";
        case Content::efi_x86_64:
            return "an EFI program for x86_64";
        case Content::efi_i386:
            return "an EFI program for i386";
        case Content::efi_aarch64:
            return "an EFI program for AArch64";
        case Content::efi_other:
            return "a DOS or EFI program";
        case Content::elf:
            return "an ELF program";
        case Content::archive:
            return "a compressed file or archive";
        case Content::html:
            return "an HTML page";
        case Content::picture:
            return "a picture";
        case Content::text:
            return "a text";
    }
    return "";
}

std::string_view name_of(Content content) {
    switch (content) {
        case Content::unknown:
            return "unknown";
        case Content::ipxe_script:
            return "ipxe-script";
        case Content::x86_kernel:
            return "linux-x86";
        case Content::aarch64_kernel:
            return "linux-aarch64";
        case Content::efi_x86_64:
            return "efi-x86_64";
        case Content::efi_i386:
            return "efi-i386";
        case Content::efi_aarch64:
            return "efi-aarch64";
        case Content::efi_other:
            return "efi-other";
        case Content::elf:
            return "elf";
        case Content::archive:
            return "archive";
        case Content::html:
            return "html";
        case Content::picture:
            return "picture";
        case Content::text:
            return "text";
    }
    return "";
}

}  // namespace vml::boot
