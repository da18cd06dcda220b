// Which option ROM the NIC gets, so that the firmware is known to run it. Pure.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "launcher/host.h"
#include "launcher/settings.h"
#include "launcher/spec.h"

namespace vml {

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

}  // namespace vml
