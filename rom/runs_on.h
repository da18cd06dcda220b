// Where a ROM can run, whatever NIC it is given to: the match turned round.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "rom/catalogue.h"
#include "rom/option_rom.h"

namespace vml::rom {

struct RunsOn {
    Firmware firmware = Firmware::bios;
    Arch arch = Arch::x86_64;
    std::optional<std::size_t> image_index;  // the image that runs; none when the ROM does not
    IpxeRole role = IpxeRole::unknown;       // of that image
    std::vector<PciId> ids;                  // BIOS: the NIC must show one; UEFI: the driver is made for them
    std::vector<std::string> nic_models;     // vm-launch's NIC models that can show one of `ids`
    std::vector<std::string> reasons;        // why it does not run, one sentence an image
    std::vector<std::string> notes;          // what to mind when it does

    bool operator==(const RunsOn&) const = default;
};

// For x86_64 BIOS, x86_64 UEFI and aarch64 UEFI, in this order.
[[nodiscard]] std::vector<RunsOn> where_it_runs(const OptionRom& rom);

}  // namespace vml::rom
