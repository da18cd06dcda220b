#include "rom/foreign.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

namespace vml::rom {

namespace {

using namespace std::string_view_literals;

struct Magic {
    std::size_t offset;
    std::string_view bytes;
    std::string_view meaning;
};

constexpr auto pe_program = "it is a PE program, such as ipxe.efi: a boot program, not an option ROM"sv;

// In this order: a Linux kernel begins like a PE program, and a script is text.
constexpr std::array magics{
    Magic{0x202, "HdrS"sv,
          "it is a Linux kernel or an iPXE .lkrn image: a boot program, not an option ROM"sv},
    Magic{0, "MZ"sv, pe_program},
    Magic{0,
          "\x7F"
          "ELF"sv,
          "it is an ELF file"sv},
    Magic{0, "\x1F\x8B"sv, "it is a gzip file"sv},
    Magic{0,
          "\xFD"
          "7zXZ\0"sv,
          "it is an xz file"sv},
    Magic{0, "\x28\xB5\x2F\xFD"sv, "it is a zstd file"sv},
    Magic{0, "PK\x03\x04"sv, "it is a zip file"sv},
    Magic{0, "!<arch>\n"sv, "it is an archive, such as a Debian package"sv},
    Magic{0, "QFI\xFB"sv, "it is a qcow2 disk image"sv},
    Magic{0x28, "_FVH"sv, "it is a UEFI firmware volume"sv},
    Magic{0x8001, "CD001"sv, "it is a CD image"sv},
    Magic{0, "#!ipxe"sv, "it is an iPXE script"sv},
    Magic{510, "\x55\xAA"sv, "it is a disk image with a boot sector"sv},
};

bool is_text(const Bytes& bytes) {
    const std::size_t looked_at = std::min<std::size_t>(bytes.size(), 512);
    for (std::size_t i = 0; i < looked_at; ++i) {
        const std::uint8_t byte = bytes.u8(i);
        if (!is_printable(byte) && byte != '\n' && byte != '\r' && byte != '\t') {
            return false;
        }
    }
    return true;
}

bool is_filled_with(const Bytes& bytes, std::uint8_t filler) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes.u8(i) != filler) {
            return false;
        }
    }
    return true;
}

std::string kind_of_text(const Bytes& bytes) {
    const std::string start = bytes.text(0, 512);
    const std::size_t first = start.find_first_not_of("? ");  // line ends have become '?'
    const bool markup = first != std::string::npos && start[first] == '<';
    return markup ? "it is HTML or XML, such as a web server's error page" : "it is a text file";
}

}  // namespace

std::string what_it_is(const Bytes& bytes) {
    if (bytes.size() == 0) {
        return "it is empty";
    }
    for (const Magic& magic : magics) {
        if (bytes.starts(magic.offset, magic.bytes)) {
            return std::string{magic.meaning};
        }
    }
    for (const std::uint8_t filler : {std::uint8_t{0x00}, std::uint8_t{0xFF}}) {
        if (is_filled_with(bytes, filler)) {
            return fmt::format("all its bytes are 0x{:02x}", filler);
        }
    }
    if (is_text(bytes)) {
        return kind_of_text(bytes);
    }
    return fmt::format("it begins with {:02x} {:02x}, an option ROM with 55 aa", bytes.u8(0), bytes.u8(1));
}

bool is_pe_program(const Bytes& bytes) {
    return what_it_is(bytes) == pe_program;
}

}  // namespace vml::rom
