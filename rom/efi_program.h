// EFI programs: PE images, told by their headers (UEFI 2.10, 2.1.1; Microsoft PE Format). Pure.
#pragma once

#include <optional>
#include <string_view>

#include "rom/catalogue.h"

namespace vml::rom {

struct EfiProgramHead {
    Arch arch = Arch::x86_64;
    // It has a certificate table (the security directory). By whom, and whether the firmware knows the key,
    // is not looked at.
    bool is_signed = false;
    bool operator==(const EfiProgramHead&) const = default;
};

// Of the EFI application that begins with these bytes; nothing when it is none, or for another machine. A few
// hundred bytes are enough.
[[nodiscard]] std::optional<EfiProgramHead> efi_program_head(std::string_view head);

inline constexpr std::size_t efi_head_size = 4096;

// Is this whole program iPXE's snponly.efi? It drives the NIC that the firmware loaded it by, and finds none
// where it was started in another way (iPXE src/drivers/net/efi/snponly.c). A program has its own name in its
// text.
[[nodiscard]] bool needs_network(std::string_view program);

// More than any build of iPXE has.
inline constexpr std::size_t longest_ipxe = std::size_t{4} << 20;

}  // namespace vml::rom
