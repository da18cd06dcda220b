// Does an EFI image of iPXE's boot by itself, or is it a network driver that leaves the booting to the
// firmware? Pure.
//
// Both come out of one build (bin-x86_64-efi/NIC.efidrv, made a ROM by util/efirom.c), have the same
// subsystem, and the firmware starts both: efidrvprefix.c's entry point only registers drivers. The
// firmware's boot manager then boots the NIC through the EFI_LOAD_FILE_PROTOCOL on it, and iPXE runs where
// iPXE itself has installed it there (interface/efi/efi_snp.c, efi_snp_load_file, which calls ipxe() of
// usr/autoboot.c).
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace vml::rom {

enum class IpxeRole {
    unknown,  // not iPXE, or not to be read
    whole,    // iPXE itself: it asks for an address, fetches and runs scripts
    driver,   // the firmware's own PXE runs on it
};

// Of the PE image of an EFI driver that names iPXE; what does not is unknown.
//
// - iPXE built with EFI_DOWNGRADE_UX (config/general.h; config/qemu/general.h sets it, so a ROM of
//   `make CONFIG=qemu`, as QEMU's own are made, has it) installs its boot entry under a GUID that nobody asks
//   for: the 16 bytes "#slow #unhelpful" (efi_snp.c since commit a15c0d7e8 of 2015).
// - Debian's ROMs since 1.21.1+git20220113 are that, and have lost iPXE's stack as well (ipxe-qemu's
//   NEWS.Debian: "have now removed ipxe stack"). What prints the stages of a boot is in autoboot.c alone, so
//   no build that can boot lacks its texts, whatever it is named (config/branding.h) and can do.
[[nodiscard]] IpxeRole ipxe_role(const Bytes& program);

// "iPXE itself", "iPXE's network driver alone", "unknown"
[[nodiscard]] std::string_view to_string(IpxeRole role);

}  // namespace vml::rom
