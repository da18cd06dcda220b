#include "rom/efi_program.h"

#include <cstddef>
#include <cstdint>

namespace vml::rom {

namespace {

constexpr std::size_t offset_of_pe_offset = 0x3C;
constexpr std::size_t offset_of_machine = 4;             // after "PE\0\0"
constexpr std::size_t offset_of_subsystem = 24 + 68;     // in PE32+'s optional header
constexpr std::size_t offset_of_directories = 24 + 108;  // their number; each has 8 bytes, from 4 further on
constexpr std::size_t security_directory = 4;            // IMAGE_DIRECTORY_ENTRY_SECURITY
constexpr std::uint32_t efi_application = 10;

std::optional<std::uint32_t> little_endian(std::string_view bytes, std::size_t offset, std::size_t size) {
    if (offset > bytes.size() || bytes.size() - offset < size) {
        return std::nullopt;
    }
    std::uint32_t value = 0;
    for (std::size_t i = size; i-- > 0;) {
        value = value << 8U | static_cast<std::uint8_t>(bytes[offset + i]);
    }
    return value;
}

bool has_certificates(std::string_view head, std::size_t pe) {
    const std::size_t size_of_it = pe + offset_of_directories + 4 + 8 * security_directory + 4;
    return little_endian(head, pe + offset_of_directories, 4).value_or(0) > security_directory &&
           little_endian(head, size_of_it, 4).value_or(0) > 0;
}

}  // namespace

std::optional<EfiProgramHead> efi_program_head(std::string_view head) {
    using namespace std::string_view_literals;
    const auto pe = little_endian(head, offset_of_pe_offset, 4);
    if (!head.starts_with("MZ"sv) || !pe || *pe > head.size() || !head.substr(*pe).starts_with("PE\0\0"sv) ||
        little_endian(head, *pe + offset_of_subsystem, 2) != efi_application) {
        return std::nullopt;
    }
    constexpr std::uint32_t x64 = 0x8664;
    constexpr std::uint32_t aa64 = 0xAA64;
    switch (little_endian(head, *pe + offset_of_machine, 2).value_or(0)) {
        case x64:
            return EfiProgramHead{Arch::x86_64, has_certificates(head, *pe)};
        case aa64:
            return EfiProgramHead{Arch::aarch64, has_certificates(head, *pe)};
        default:
            return std::nullopt;
    }
}

bool needs_network(std::string_view program) {
    return program.find("snponly.efi") != std::string_view::npos;
}

}  // namespace vml::rom
