// EFI programs: PE images, told by their headers (UEFI 2.10, 2.1.1; Microsoft PE Format). Pure.
#pragma once

#include <optional>
#include <string_view>

#include "launcher/settings.h"

namespace vml {

// The architecture of the EFI application that begins with these bytes; nothing when it is none, or for
// another machine. A few hundred bytes are enough.
[[nodiscard]] std::optional<Arch> efi_program_arch(std::string_view head);

inline constexpr std::size_t efi_head_size = 4096;

}  // namespace vml
