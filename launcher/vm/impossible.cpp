#include "launcher/vm/impossible.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
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
        const FirmwareMode firmware = firmware_of(in.settings, arch);
        const RomQuestion question{
            *model, firmware, arch, in.facts.roms[i], in.settings.ipxe_rom, in.origin("ipxe-rom")};
        auto chosen = needs_driver(in.settings, i, firmware) ? choose_driver(question) : choose_rom(question);
        if (auto* fault = std::get_if<Fault>(&chosen)) {
            misfits.push_back(std::move(*fault));
        }
    }
    return misfits;
}

// What a folder lacks is known of one that can be read.
bool can_be_read(const HostFacts& facts) {
    return facts.netboot && facts.netboot->folder.kind == PathFacts::Kind::folder &&
           facts.netboot->folder.open_error == 0;
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

std::vector<Fault> unserved_of(const std::vector<Fault>& faults, const Settings& settings,
                               const Origins& origins, const HostFacts& facts) {
    if (settings.netboot_dir && !can_be_read(facts)) {
        return {};
    }
    if (const Fault none = no_undionly({settings, origins, facts});
        std::find(faults.begin(), faults.end(), none) != faults.end()) {
        return {none};
    }
    const Arch arch = arch_of(settings, facts.arch);
    const FirmwareMode firmware = firmware_of(settings, arch);
    const std::optional<std::size_t> nic = netboot_nic(settings);
    const bool has_program = std::any_of(
        facts.boot_programs.begin(), facts.boot_programs.end(),
        [&](const BootProgram& program) { return program.is_signed || firmware != FirmwareMode::secure; });
    if (!nic || !boots_by_firmware(settings, *nic, firmware) || has_program) {
        return {};
    }
    const std::string nobody;
    const std::vector<Fault> meant =
        unserved_faults({settings, origins, facts}, {nobody, arch, firmware, nobody});
    std::vector<Fault> unserved;
    std::copy_if(faults.begin(), faults.end(), std::back_inserter(unserved), [&](const Fault& fault) {
        return std::find(meant.begin(), meant.end(), fault) != meant.end();
    });
    return unserved;
}

}  // namespace vml
