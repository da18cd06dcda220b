#include "launcher/host/rom_files.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "launcher/host/file_head.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/rom_choice.h"
#include "rom/efi_program.h"
#include "rom/rom_file.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

RomCandidate load_candidate(const fs::path& path) {
    try {
        rom::RomFile file = rom::read_rom_file(path);
        return {path, std::move(file.rom), std::nullopt, std::move(file.bytes)};
    } catch (const Error& error) {
        return {path, std::nullopt, error.faults().front()};
    }
}

// What the NIC is to have: iPXE, or a driver for the firmware's own client.
struct Wanted {
    const NicSettings& nic;
    FirmwareMode firmware = FirmwareMode::legacy;
    Arch arch = Arch::x86_64;
    bool driver = false;
};

bool is_enough(const Wanted& wanted, const rom::NicModel& model, const std::vector<RomCandidate>& so_far) {
    const RomQuestion question{model, wanted.firmware, wanted.arch, so_far, std::nullopt, ""};
    return std::holds_alternative<ChosenRom>(wanted.driver ? choose_driver(question) : choose_rom(question));
}

// Up to the first that fits: the others would only be read to be passed over.
std::vector<RomCandidate> bundled_candidates(const Wanted& wanted, const std::vector<fs::path>& folders) {
    const rom::NicModel* model = rom::find_nic_model(wanted.nic.model);
    const rom::Firmware kind =
        wanted.firmware != FirmwareMode::legacy ? rom::Firmware::uefi : rom::Firmware::bios;
    std::vector<RomCandidate> candidates;
    for (const fs::path& folder : folders) {
        for (const std::string& file : rom::candidate_files(*model, kind)) {
            const auto is_here = [&](const RomCandidate& candidate) {  // a folder may be a link to another
                std::error_code ignored;
                return fs::equivalent(candidate.path, folder / file, ignored);
            };
            std::error_code ignored;
            if (fs::exists(folder / file, ignored) &&
                std::none_of(candidates.begin(), candidates.end(), is_here)) {
                candidates.push_back(load_candidate(folder / file));
                if (is_enough(wanted, *model, candidates)) {
                    return candidates;
                }
            }
        }
    }
    return candidates;
}

// iPXE's EFI program as distributions ship it: Debian 13's package ipxe, Debian 12's (which has none for
// 64-bit ARM; a link to /boot), Fedora's ipxe-bootimgs.
std::vector<fs::path> program_places(Arch arch) {
    if (arch == Arch::aarch64) {
        return {"/usr/lib/ipxe/ipxe-arm64.efi", "/usr/share/ipxe/arm64-efi/ipxe.efi"};
    }
    return {"/usr/lib/ipxe/ipxe-amd64.efi", "/usr/lib/ipxe/ipxe.efi", "/usr/share/ipxe/ipxe-x86_64.efi"};
}

}  // namespace

std::vector<std::vector<RomCandidate>> load_candidates(const Settings& settings, FirmwareMode firmware,
                                                       Arch arch, const std::vector<fs::path>& folders) {
    std::vector<std::vector<RomCandidate>> all;
    bool first = true;
    for (std::size_t i = 0; i < settings.nics.size(); ++i) {
        std::vector<RomCandidate> candidates;
        if (takes_part_in_boot(settings.nics[i], i)) {
            if (settings.ipxe_rom) {
                candidates.push_back(load_candidate(*settings.ipxe_rom));
            }
            if (!settings.ipxe_rom || !first) {
                auto bundled = bundled_candidates(
                    {settings.nics[i], firmware, arch, needs_driver(settings, i, firmware)}, folders);
                std::move(bundled.begin(), bundled.end(), std::back_inserter(candidates));
            }
            first = false;
        }
        all.push_back(std::move(candidates));
    }
    return all;
}

std::vector<EfiProgram> efi_programs(const Settings& settings, Arch arch) {
    const std::vector<fs::path> paths =
        settings.ipxe_rom ? std::vector{*settings.ipxe_rom} : program_places(arch);
    std::vector<EfiProgram> programs;
    for (const fs::path& path : paths) {
        if (const auto head = rom::efi_program_head(head_of(path, rom::efi_head_size))) {
            const bool own_nic = settings.ipxe_rom && rom::needs_network(head_of(path, rom::longest_ipxe));
            programs.push_back({path, head->arch, head->is_signed, own_nic});
        }
    }
    return programs;
}

}  // namespace vml
