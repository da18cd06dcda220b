// Who boots, and by what: the choices that need nothing but the settings and the host's architecture. Pure.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "launcher/settings/settings.h"
#include "launcher/vm/uefi_choice.h"

namespace vml {

[[nodiscard]] Arch arch_of(const Settings& settings, Arch host);
[[nodiscard]] FirmwareMode firmware_of(const Settings& settings, Arch arch);

// As QEMU takes it: "q35".
// Firmware of the user's own as flash, with its variables; empty: there is none.
[[nodiscard]] std::vector<UefiFirmware> own_uefi(const Settings& settings, Arch arch,
                                                 const std::filesystem::path& working_folder);
[[nodiscard]] std::string machine_of(const Settings& settings, Arch arch);

[[nodiscard]] bool wants_tpm(const Settings& settings, FirmwareMode firmware);

// Does this NIC boot, when `network` is in the order at all?
[[nodiscard]] bool takes_part_in_boot(const NicSettings& nic, std::size_t index);

// User mode or an isolated segment: a network on which nobody but QEMU and vm-launch answers.
[[nodiscard]] bool is_served_by_us(NetworkMode network);

// Is it the firmware's own client that boots this NIC, where QEMU's DHCP, or vm-launch on a bridge or on an
// isolated segment, can name it a file?
[[nodiscard]] bool boots_by_firmware(const Settings& settings, std::size_t index, FirmwareMode firmware);

// The NIC whose guest gets what vm-launch serves, which a macvtap's does not: the first that takes part in
// the boot, else the first that nobody else serves, else the first. None: there is none.
[[nodiscard]] std::optional<std::size_t> netboot_nic(const Settings& settings);

// BOOT_ORDER as given or by default, with iPXE's promotion.
[[nodiscard]] std::vector<BootDevice> wanted_order(const Settings& settings);
// The order with iPXE's promotion: the network first.
[[nodiscard]] std::vector<BootDevice> promoted(const Settings& settings, std::vector<BootDevice> order);
// In the order, or in that of the first boot.
[[nodiscard]] bool boots_from(const Settings& settings, BootDevice device);

// With no boot source given, the network: what doctor looks at then.
[[nodiscard]] Settings or_network_boot(Settings settings);

// Is it UEFI's own client that boots this NIC, and without a driver of its own? The distributions' edk2
// drives virtio alone; what the user's own firmware drives is not known.
[[nodiscard]] bool needs_driver(const Settings& settings, std::size_t index, FirmwareMode firmware);

// An option ROM is read only where one may be used: a network boot on BIOS, iPXE on UEFI, a driver for UEFI's
// own client, or a ROM that was asked for.
[[nodiscard]] bool needs_rom(const Settings& settings, FirmwareMode firmware);
// A NIC is on a link of the host's.
[[nodiscard]] bool needs_links(const Settings& settings);

}  // namespace vml
