// Which option ROM the NIC gets, so that the firmware is known to run it. Pure.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "launcher/settings/settings.h"
#include "launcher/vm/facts.h"
#include "rom/match.h"

namespace vml {

// The option ROM of a NIC. Without one the NIC gets none at all (QEMU's default is switched off).
struct RomSpec {
    std::filesystem::path file;
    rom::PciId id;              // what the device must show so that the firmware runs the ROM
    std::string reason;         // why this ROM
    bool qemu_default = false;  // QEMU loads it by itself, because only then does it patch the ROM's PCI ID
    rom::SharedBytes bytes{};   // what was judged, and is run; none: the file is read
    bool driver = false;        // it is no iPXE: the firmware's own client boots by it
    bool operator==(const RomSpec&) const = default;
};

struct ChosenRom {
    RomSpec rom;
    std::vector<std::string> warnings;
};

// What a NIC offers and where it is to boot.
struct RomQuestion {
    const rom::NicModel& model;
    FirmwareMode firmware = FirmwareMode::legacy;
    Arch arch = Arch::x86_64;
    const std::vector<RomCandidate>& candidates;     // in order of preference
    std::optional<std::filesystem::path> asked_for;  // by the user
    std::string origin;                              // of that wish: "--ipxe-rom"
};

// The first candidate that firmware, architecture and NIC model run; else a Fault (ExitCode::host) that says
// what is in each candidate, what is needed and what mends it.
[[nodiscard]] std::variant<ChosenRom, Fault> choose_rom(const RomQuestion& question);

// What drives the NIC for UEFI's own client, which itself drives virtio alone (edk2's OVMF and ArmVirt): the
// first candidate that is a driver, and not iPXE, which would boot in its place.
[[nodiscard]] std::variant<ChosenRom, Fault> choose_driver(const RomQuestion& question);

}  // namespace vml
