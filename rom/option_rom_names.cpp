// What the parts of an option ROM are called.
#include <fmt/format.h>

#include "rom/option_rom.h"

namespace vml::rom {

std::string to_string(PciId id) {
    return fmt::format("{:04x}:{:04x}", id.vendor, id.device);
}

std::string to_string(CodeType type) {
    switch (type) {
        case CodeType::x86:
            return "x86";
        case CodeType::open_firmware:
            return "Open Firmware";
        case CodeType::pa_risc:
            return "PA-RISC";
        case CodeType::efi:
            return "EFI";
        case CodeType::none:
            return "no PCIR";
    }
    return fmt::format("code type 0x{:02x}", static_cast<unsigned>(type));
}

// Microsoft PE/COFF specification, "Machine Types".
std::string machine_name(std::uint16_t machine) {
    switch (machine) {
        case 0x014C:
            return "IA-32";
        case 0x01C2:
            return "ARM";
        case 0x0EBC:
            return "EBC";
        case 0x5064:
            return "RISC-V 64";
        case 0x6264:
            return "LoongArch 64";
        case 0x8664:
            return "x86-64";
        case 0xAA64:
            return "AArch64";
        default:
            return fmt::format("machine 0x{:04x}", machine);
    }
}

bool calls_itself_ipxe(const Image& image) {
    return image.ipxe || (image.pnp && image.pnp->product.starts_with("iPXE"));
}

bool has_checksum(const Image& image) {
    return image.code_type == CodeType::x86 || image.code_type == CodeType::none;
}

std::string image_label(std::size_t index) {
    return fmt::format("image {}", index + 1);
}

}  // namespace vml::rom
