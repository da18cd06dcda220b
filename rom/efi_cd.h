// A CD image from which UEFI firmware boots one program: for a program whose turn comes and goes with the
// boot order, which QEMU's -kernel does not know. Pure.
//
// El Torito (1.0) for UEFI (UEFI 2.10, 13.3.2.1): the boot image is a FAT volume with the program in it under
// the name that a removable medium's has (3.5.1.1).
#pragma once

#include <string>
#include <string_view>

#include "rom/catalogue.h"

namespace vml::rom {

// "EFI/BOOT/BOOTX64.EFI"
[[nodiscard]] std::string removable_name(Arch arch);

[[nodiscard]] std::string efi_cd(std::string_view program, Arch arch);

}  // namespace vml::rom
