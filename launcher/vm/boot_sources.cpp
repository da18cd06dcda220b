#include "launcher/vm/boot_sources.h"

#include <algorithm>
#include <utility>

#include "launcher/vm/link_kind.h"

namespace vml {

Arch arch_of(const Settings& settings, Arch host) {
    return settings.arch.value_or(host);
}

FirmwareMode firmware_of(const Settings& settings, Arch arch) {
    return settings.firmware.value_or(arch == Arch::x86_64 && !settings.firmware_code ? FirmwareMode::legacy
                                                                                      : FirmwareMode::uefi);
}

std::vector<UefiFirmware> own_uefi(const Settings& settings, Arch arch,
                                   const std::filesystem::path& working_folder) {
    if (!settings.firmware_code || !settings.firmware_vars) {
        return {};
    }
    UefiFirmware own;
    own.description = "your own";
    own.code = (working_folder / *settings.firmware_code).lexically_normal();
    own.code_format = "raw";
    own.vars_template = (working_folder / *settings.firmware_vars).lexically_normal();
    own.vars_format = "raw";
    own.targets = {{"x86_64", {"pc-q35-*", "pc-i440fx-*"}}, {"aarch64", {"virt-*"}}};
    if (firmware_of(settings, arch) == FirmwareMode::secure) {
        own.features = {"secure-boot", "enrolled-keys"};
        if (arch == Arch::x86_64) {
            own.features.emplace_back("requires-smm");
        }
    }
    return {own};
}

std::string machine_of(const Settings& settings, Arch arch) {
    return settings.machine.value_or(arch == Arch::x86_64 ? "q35" : "virt");
}

bool wants_tpm(const Settings& settings, FirmwareMode firmware) {
    return settings.tpm.value_or(firmware == FirmwareMode::secure);
}

bool takes_part_in_boot(const NicSettings& nic, std::size_t index) {
    return nic.boot.value_or(index == 0);
}

bool is_served_by_us(NetworkMode network) {
    return network == NetworkMode::nat || network == NetworkMode::isolated;
}

bool boots_by_firmware(const Settings& settings, std::size_t index, FirmwareMode firmware) {
    const NicSettings& nic = settings.nics[index];
    return firmware != FirmwareMode::legacy && !settings.ipxe && nic.network != NetworkMode::direct &&
           takes_part_in_boot(nic, index) && boots_from(settings, BootDevice::network);
}

std::optional<std::size_t> netboot_nic(const Settings& settings) {
    std::optional<std::size_t> best;
    int best_rank = 0;
    for (std::size_t index = 0; index < settings.nics.size(); ++index) {
        const NicSettings& nic = settings.nics[index];
        const int rank = nic.network == NetworkMode::direct ? 0
                         : takes_part_in_boot(nic, index)   ? 3
                         : is_served_by_us(nic.network)     ? 2
                                                            : 1;
        if (rank > best_rank) {
            best = index;
            best_rank = rank;
        }
    }
    return best;
}

std::vector<BootDevice> wanted_order(const Settings& settings) {
    std::vector<BootDevice> order = settings.boot_order.value_or(std::vector{BootDevice::hd});
    if (!settings.boot_order && settings.iso) {
        order.push_back(BootDevice::cdrom);
    }
    if (settings.force_iso && settings.iso) {
        std::erase(order, BootDevice::cdrom);
        order.insert(order.begin(), BootDevice::cdrom);
    }
    // With an order for the first boot, that one is iPXE's: or else the network would always be first.
    return settings.boot_once ? order : promoted(settings, std::move(order));
}

std::vector<BootDevice> promoted(const Settings& settings, std::vector<BootDevice> order) {
    if (settings.ipxe) {
        std::erase(order, BootDevice::network);
        order.insert(order.begin(), BootDevice::network);
    }
    return order;
}

bool boots_from(const Settings& settings, BootDevice device) {
    auto order = wanted_order(settings);
    if (settings.boot_once) {
        order.insert(order.end(), settings.boot_once->begin(), settings.boot_once->end());
    }
    return std::find(order.begin(), order.end(), device) != order.end();
}

Settings or_network_boot(Settings settings) {
    settings.ipxe = settings.ipxe || (!settings.boot_order && settings.disks.empty() && !settings.iso &&
                                      !settings.blank_disk && settings.extra_disks.empty());
    return settings;
}

bool needs_driver(const Settings& settings, std::size_t index, FirmwareMode firmware) {
    const NicSettings& nic = settings.nics[index];
    const rom::NicModel* const model = rom::find_nic_model(nic.model);
    return firmware != FirmwareMode::legacy && !settings.ipxe && !settings.firmware_code &&
           model != nullptr && model->name != "virtio" && takes_part_in_boot(nic, index) &&
           boots_from(settings, BootDevice::network);
}

bool needs_rom(const Settings& settings, FirmwareMode firmware) {
    for (std::size_t index = 0; index < settings.nics.size(); ++index) {
        if (needs_driver(settings, index, firmware)) {
            return true;
        }
    }
    return settings.ipxe || settings.ipxe_rom ||
           (firmware == FirmwareMode::legacy && boots_from(settings, BootDevice::network));
}

bool needs_links(const Settings& settings) {
    return std::any_of(settings.nics.begin(), settings.nics.end(),
                       [](const NicSettings& nic) { return kind_of(net_of(nic)).on_host; });
}

}  // namespace vml
