#include "launcher/vm/boot_sources.h"

namespace vml {

Arch arch_of(const Settings& settings, Arch host) {
    return settings.arch.value_or(host);
}

FirmwareMode firmware_of(const Settings& settings, Arch arch) {
    return settings.firmware.value_or(arch == Arch::x86_64 ? FirmwareMode::legacy : FirmwareMode::uefi);
}

bool wants_tpm(const Settings& settings, FirmwareMode firmware) {
    return settings.tpm.value_or(firmware == FirmwareMode::secure);
}

bool takes_part_in_boot(const NicSettings& nic, std::size_t index) {
    return nic.boot.value_or(index == 0);
}

}  // namespace vml
