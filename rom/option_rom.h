// What is inside a PCI option ROM (expansion ROM): its images, and what is wrong with them.
//
// Sources: PCI Firmware Specification 3.x, chapter 5 (image header, PCI data structure); UEFI specification,
// "PCI option ROMs" (EFI header); Plug and Play BIOS and BIOS Boot Specification ($PnP, BEV, BCV); Preboot
// Execution Environment 2.1 (UNDI); iPXE's src/util/Option/ROM.pm and src/arch/x86/prefix/romprefix.S (the
// "iPXE" header).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rom/ipxe_role.h"

namespace vml::rom {

struct PciId {
    std::uint16_t vendor = 0;
    std::uint16_t device = 0;

    bool operator==(const PciId&) const = default;
};

// "1af4:1041"
[[nodiscard]] std::string to_string(PciId id);

// PCIR's code type byte. Values that are not named here occur too; `none` marks an image without a PCI data
// structure, such as an ISA option ROM.
enum class CodeType : std::uint16_t { x86 = 0, open_firmware = 1, pa_risc = 2, efi = 3, none = 0x100 };

// "x86", "EFI", "Open Firmware", "PA-RISC", "code type 0x70", "no PCIR"
[[nodiscard]] std::string to_string(CodeType type);

// The $PnP header of an x86 image. A chain of headers is given by its first one that has a BEV, or else by
// the first.
struct Pnp {
    std::uint16_t bev = 0;  // bootstrap entry vector, an offset in the image: a network boot entry; 0 = none
    std::uint16_t bcv = 0;  // boot connection vector: a disk-like boot entry; 0 = none
    std::string manufacturer;  // printable ASCII
    std::string product;       // printable ASCII; what a BIOS shows in its boot menu
    bool checksum_ok = false;  // SeaBIOS does not look at it
    bool endless = false;      // the chain of headers leads back to itself: SeaBIOS would follow it for ever

    bool operator==(const Pnp&) const = default;
};

// The UNDI ROM ID structure: the image can also be loaded by a PXE base code.
struct Undi {
    std::uint8_t major = 0;  // of the PXE API, 2.1 as a rule
    std::uint8_t minor = 0;

    bool operator==(const Undi&) const = default;
};

// The "iPXE" header of an x86 image.
struct IpxeHeader {
    std::size_t shrunk_size = 0;  // bytes left in low memory after its initialisation
    std::uint32_t build_id = 0;

    bool operator==(const IpxeHeader&) const = default;
};

struct Efi {
    bool signature_ok = false;       // EfiSignature is 0x0EF1
    std::uint16_t machine = 0;       // PE machine type: 0x8664 x86-64, 0xAA64 AArch64
    std::uint16_t subsystem = 0;     // 0x0B boot service driver, 0x0C runtime driver
    std::uint16_t compression = 0;   // 0 none, 1 UEFI compression
    std::uint16_t image_offset = 0;  // of the PE image in the option ROM image, bytes
    bool pe_ok = false;              // an MZ header is at image_offset, or at the start of what is unpacked
    // Of a compressed image.
    std::optional<std::size_t> unpacked_size;  // bytes
    std::string packed_fault;                  // a clause that says why it cannot be unpacked
    IpxeRole role = IpxeRole::unknown;

    bool operator==(const Efi&) const = default;
};

// "x86-64", "AArch64", … or "machine 0x1234"
[[nodiscard]] std::string machine_name(std::uint16_t machine);

struct Image {
    std::size_t offset = 0;     // in the file, bytes
    std::size_t length = 0;     // PCIR's image length in bytes; without a PCIR, the same as init_size
    std::size_t init_size = 0;  // the header's initialisation size in bytes: what a BIOS copies and sums
    CodeType code_type = CodeType::none;

    // The PCI data structure; all zero without one.
    std::size_t pcir_offset = 0;  // in the image
    std::uint8_t pcir_revision = 0;
    PciId id;
    std::vector<std::uint16_t>
        devices;  // the device list (PCIR revision 3 and later), same vendor; firmware may ignore it
    std::uint32_t class_code = 0;      // base class, sub class, interface: 0x020000 is an Ethernet controller
    bool last = false;                 // the last-image flag
    std::size_t max_runtime_size = 0;  // bytes; PCIR revision 3 and later

    bool truncated = false;    // the file ends before the image does
    bool checksum_ok = false;  // x86 and ISA only: init_size bytes are all there and sum up to 0
    std::optional<Pnp> pnp;
    std::optional<Undi> undi;
    std::optional<IpxeHeader> ipxe;
    std::optional<Efi> efi;

    bool operator==(const Image&) const = default;
};

struct OptionRom {
    std::vector<Image> images;  // at least one, in the order of the file
    std::size_t file_size = 0;
    std::size_t trailing_bytes = 0;  // after the last image
    bool is_ipxe = false;
    std::optional<std::string> ipxe_version;  // "1.0.0+git-20190125.36a4c85-5.1"; only an EFI image shows it
    std::vector<std::string> problems;        // one sentence each; not all of them trouble every firmware

    bool operator==(const OptionRom&) const = default;
};

// By the iPXE header or the product's name of an x86 image.
[[nodiscard]] bool calls_itself_ipxe(const Image& image);

// Has it a checksum at all? Code for EFI and Open Firmware has none.
[[nodiscard]] bool has_checksum(const Image& image);

// "image 2": how every message names an image; counted from 1.
[[nodiscard]] std::string image_label(std::size_t index);

// Reads the bytes of a ROM; `name` is for the error's text. Throws vml::Error (ExitCode::host) when the bytes
// are no option ROM at all, that is, do not begin with 55 AA. Damage of any other kind is recorded in
// `problems`.
[[nodiscard]] OptionRom read_option_rom(std::span<const std::uint8_t> data, std::string_view name);

}  // namespace vml::rom
