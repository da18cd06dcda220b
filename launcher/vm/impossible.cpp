#include "launcher/vm/impossible.h"

#include <algorithm>
#include <variant>

#include "launcher/vm/boot_sources.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/rom_choice.h"
#include "rom/catalogue.h"

namespace vml {

namespace {

bool has_readable_rom(const std::vector<RomCandidate>& candidates) {
    return std::any_of(candidates.begin(), candidates.end(),
                       [](const RomCandidate& candidate) { return candidate.rom.has_value(); });
}

// Of each NIC's ROMs that are there, and cannot run.
std::vector<Fault> rom_misfits(const DecideInput& in) {
    std::vector<Fault> misfits;
    const Arch arch = arch_of(in.settings, in.facts.arch);
    for (std::size_t i = 0; i < in.settings.nics.size() && i < in.facts.roms.size(); ++i) {
        const rom::NicModel* model = rom::find_nic_model(in.settings.nics[i].model);
        if (model == nullptr || !has_readable_rom(in.facts.roms[i])) {
            continue;
        }
        auto chosen = choose_rom({*model, firmware_of(in.settings, arch), arch, in.facts.roms[i],
                                  in.settings.ipxe_rom, in.origin("ipxe-rom")});
        if (auto* fault = std::get_if<Fault>(&chosen)) {
            misfits.push_back(std::move(*fault));
        }
    }
    return misfits;
}

}  // namespace

std::vector<Fault> impossible_of(const std::vector<Fault>& faults, const Settings& settings,
                                 const Origins& origins, const HostFacts& facts) {
    const std::vector<Fault> misfits = rom_misfits({settings, origins, facts});
    std::vector<Fault> impossible;
    std::copy_if(faults.begin(), faults.end(), std::back_inserter(impossible), [&](const Fault& fault) {
        return fault.code == ExitCode::settings ||
               std::find(misfits.begin(), misfits.end(), fault) != misfits.end();
    });
    return impossible;
}

}  // namespace vml
