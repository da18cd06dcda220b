// Where the fields of an option ROM's structures are. Of rom/option_rom*.cpp alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vml::rom {

inline constexpr std::string_view rom_signature = "\x55\xAA";  // PCI Firmware Specification 3.x, 5.1.1
inline constexpr std::size_t unit = 512;  // sizes in ROM headers count units of 512 bytes

// More images than any ROM holds; keeps hostile files from growing the lists without end.
inline constexpr std::size_t most_images = 64;
inline constexpr std::size_t most_devices = 256;
inline constexpr std::size_t most_pnp_headers = 16;
inline constexpr std::size_t longest_text = 80;

// Image header, offsets in the image (5.1.1 for x86; UEFI specification, "EFI PCI expansion ROM header";
// ROM.pm).
namespace header {
inline constexpr std::size_t init_units = 0x02;       // u8 for x86, u16 for EFI
inline constexpr std::size_t efi_signature = 0x04;    // u32
inline constexpr std::size_t efi_subsystem = 0x08;    // u16
inline constexpr std::size_t efi_machine = 0x0A;      // u16
inline constexpr std::size_t efi_compression = 0x0C;  // u16
inline constexpr std::size_t efi_image = 0x16;        // u16
inline constexpr std::size_t ipxe = 0x10;             // u16, pointer to the "iPXE" header (romprefix.S)
inline constexpr std::size_t undi = 0x16;             // u16, pointer to the UNDI ROM ID (PXE 2.1, 4.2.1)
inline constexpr std::size_t pcir = 0x18;             // u16, pointer to the PCI data structure
inline constexpr std::size_t pnp = 0x1A;  // u16, pointer to $PnP (BIOS Boot Specification 1.01, appendix B)
}  // namespace header

// PCI data structure, offsets in it (PCI Firmware Specification 3.x, 5.1.2).
namespace pcir {
inline constexpr std::string_view signature = "PCIR";
inline constexpr std::size_t size = 0x18;         // of revision 0, without the later fields
inline constexpr std::size_t vendor = 0x04;       // u16
inline constexpr std::size_t device = 0x06;       // u16
inline constexpr std::size_t device_list = 0x08;  // u16, relative to the structure; revision 3
inline constexpr std::size_t revision = 0x0C;     // u8
inline constexpr std::size_t class_code = 0x0D;   // u8 each: interface, sub class, base class
inline constexpr std::size_t image_units = 0x10;  // u16
inline constexpr std::size_t code_type = 0x14;    // u8
inline constexpr std::size_t indicator = 0x15;    // u8, bit 7: last image
inline constexpr std::size_t max_runtime = 0x16;  // u16, in units; revision 3
inline constexpr std::uint8_t list_revision = 3;
}  // namespace pcir

// Expansion header for Plug and Play, offsets in it (BIOS Boot Specification 1.01, appendix B; ROM.pm).
namespace pnp {
inline constexpr std::string_view signature = "$PnP";
inline constexpr std::size_t size = 0x20;
inline constexpr std::size_t paragraphs = 0x05;    // u8, length in 16 bytes
inline constexpr std::size_t next = 0x06;          // u16, relative to the image
inline constexpr std::size_t manufacturer = 0x0E;  // u16, relative to the image
inline constexpr std::size_t product = 0x10;       // u16, relative to the image
inline constexpr std::size_t bcv = 0x16;           // u16
inline constexpr std::size_t bev = 0x1A;           // u16
}  // namespace pnp

}  // namespace vml::rom
