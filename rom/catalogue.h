// The NIC models that vm-launch offers, and the iPXE ROMs that distributions ship for them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "rom/option_rom.h"

namespace vml::rom {

enum class Firmware { bios, uefi };
enum class Arch { x86_64, aarch64 };

[[nodiscard]] std::string_view to_string(Firmware firmware);  // "BIOS", "UEFI"
[[nodiscard]] std::string_view to_string(Arch arch);          // "x86_64", "aarch64"

struct NicModel {
    std::string name;         // the user's word: "virtio"
    std::string qemu_device;  // "virtio-net-pci"
    // The IDs that QEMU's device can be made to show, in order of preference. virtio-net-pci shows 1af4:1041
    // with disable-legacy=on or behind a pcie-root-port, else 1af4:1000; the others show one ID.
    std::vector<PciId> ids;
    std::string rom_stem;  // "virtio" of pxe-virtio.rom

    bool operator==(const NicModel&) const = default;
};

// All of them; virtio, the default, comes first.
[[nodiscard]] const std::vector<NicModel>& nic_models();

// By the user's word or by QEMU's; nullptr when there is none. Points into nic_models().
[[nodiscard]] const NicModel* find_nic_model(std::string_view name);

// Where distributions put iPXE's ROMs, in the order to look; not all of them exist.
[[nodiscard]] std::vector<std::filesystem::path> rom_folders();

// File names in the order to try. BIOS: the small BIOS-only ROM, then the combined one, which holds a BIOS
// image too. UEFI: the combined one only. Debian ships combined ROMs for x86-64; none of them holds an
// AArch64 image.
[[nodiscard]] std::vector<std::string> candidate_files(const NicModel& model, Firmware firmware);

}  // namespace vml::rom
