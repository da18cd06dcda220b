#include "rom/catalogue.h"

#include <algorithm>

namespace vml::rom {

std::string_view to_string(Firmware firmware) {
    return firmware == Firmware::bios ? "BIOS" : "UEFI";
}

std::string_view to_string(Arch arch) {
    return arch == Arch::x86_64 ? "x86_64" : "aarch64";
}

// The IDs are those that QEMU 7.2 shows by query-pci for each device. The ROM of ne2k_pci says 0000:0000
// (fff3:0000 in its EFI image): SeaBIOS runs it only as QEMU's default ROM, into which QEMU writes the
// device's ID (pci_patch_ids). Of QEMU's eepro100 family only i82557b shows the ID that its ROM names; i82550
// and i82559er show 8086:1209.
const std::vector<NicModel>& nic_models() {
    static const std::vector<NicModel> models{
        {"virtio", "virtio-net-pci", {{0x1AF4, 0x1041}, {0x1AF4, 0x1000}}, "virtio"},
        {"e1000", "e1000", {{0x8086, 0x100E}}, "e1000"},
        {"e1000e", "e1000e", {{0x8086, 0x10D3}}, "e1000e"},
        {"rtl8139", "rtl8139", {{0x10EC, 0x8139}}, "rtl8139"},
        {"vmxnet3", "vmxnet3", {{0x15AD, 0x07B0}}, "vmxnet3"},
        {"pcnet", "pcnet", {{0x1022, 0x2000}}, "pcnet"},
        {"ne2k_pci", "ne2k_pci", {{0x10EC, 0x8029}}, "ne2k_pci"},
        {"i82557b", "i82557b", {{0x8086, 0x1229}}, "eepro100"},
    };
    return models;
}

const NicModel* find_nic_model(std::string_view name) {
    const auto& models = nic_models();
    const auto found = std::find_if(models.begin(), models.end(), [name](const NicModel& model) {
        return model.name == name || model.qemu_device == name;
    });
    return found == models.end() ? nullptr : &*found;
}

std::vector<std::filesystem::path> rom_folders() {
    return {
        "/usr/lib/ipxe/qemu",    // Debian 12, Ubuntu
        "/usr/share/qemu",       // Debian 13, openSUSE, Arch Linux
        "/usr/share/ipxe/qemu",  // Fedora
        "/usr/local/share/qemu",
    };
}

std::vector<std::string> candidate_files(const NicModel& model, Firmware firmware) {
    const std::string combined = "efi-" + model.rom_stem + ".rom";
    if (firmware == Firmware::uefi) {
        return {combined};
    }
    return {"pxe-" + model.rom_stem + ".rom", combined};
}

}  // namespace vml::rom
