// Who boots, and by what: the choices that need nothing but the settings and the host's architecture. Pure.
#pragma once

#include "launcher/settings/settings.h"

namespace vml {

[[nodiscard]] Arch arch_of(const Settings& settings, Arch host);
[[nodiscard]] FirmwareMode firmware_of(const Settings& settings, Arch arch);

[[nodiscard]] bool wants_tpm(const Settings& settings, FirmwareMode firmware);

// Does this NIC boot, when `network` is in the order at all?
[[nodiscard]] bool takes_part_in_boot(const NicSettings& nic, std::size_t index);

}  // namespace vml
