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

// The first candidate that firmware, architecture and NIC model run; else a Fault (ExitCode::host) that says
// what is in each candidate, what is needed and what mends it.
[[nodiscard]] std::variant<ChosenRom, Fault> choose_rom(const Settings& settings, const Origins& origins,
                                                        const HostFacts& facts, FirmwareMode firmware,
                                                        Arch arch);

}  // namespace vml
