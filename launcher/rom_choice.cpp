#include "launcher/rom_choice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "launcher/values.h"

namespace vml {

namespace {

std::string firmware_words(FirmwareMode firmware, Arch arch) {
    return fmt::format("{} on {}", firmware == FirmwareMode::uefi ? "UEFI" : "legacy firmware (SeaBIOS)",
                       to_string(arch));
}

rom::Target target_of(const rom::NicModel& model, FirmwareMode firmware, Arch arch) {
    return {firmware == FirmwareMode::uefi ? rom::Firmware::uefi : rom::Firmware::bios, arch, model.ids,
            false};
}

// What would mend the lack of a ROM.
std::string hint_for(const Settings& settings, FirmwareMode firmware, Arch arch) {
    const rom::NicModel& model = *rom::find_nic_model(settings.nic_model);
    if (arch == Arch::aarch64) {
        return fmt::format(
            "give an option ROM with an AArch64 EFI image by --ipxe-rom PATH (Debian's ipxe-qemu has none), "
            "or boot through the firmware's own PXE: --no-ipxe --boot-order network");
    }
    const auto files = rom::candidate_files(model, target_of(model, firmware, arch).firmware);
    if (settings.ipxe_rom) {
        return fmt::format(
            "leave --ipxe-rom out (the bundled {} fits), or build a ROM with {}", files.front(),
            firmware == FirmwareMode::uefi ? "an x86-64 EFI image" : "this PCI ID and a BIOS image");
    }
    return fmt::format("apt-get install ipxe-qemu (it has {}), or give a ROM by --ipxe-rom PATH",
                       files.front());
}

std::string reason_for(const Settings& settings, const Origins& origins, FirmwareMode firmware, Arch arch) {
    if (settings.ipxe_rom) {
        return fmt::format("{} asks for it, and {} runs it on {}", origin_of(origins, "ipxe-rom"),
                           firmware_words(firmware, arch), settings.nic_model);
    }
    return fmt::format("the bundled iPXE ROM that {} runs on {}", firmware_words(firmware, arch),
                       settings.nic_model);
}

std::string joined(const std::vector<std::string>& reasons) {
    return fmt::format("{}", fmt::join(reasons, " "));
}

std::string nothing_found() {
    std::vector<std::string> folders;
    for (const auto& folder : rom::rom_folders()) {
        folders.push_back(folder.string());
    }
    return fmt::format("looked in {}", fmt::join(folders, ", "));
}

}  // namespace

std::variant<ChosenRom, Fault> choose_rom(const Settings& settings, const Origins& origins,
                                          const HostFacts& facts, FirmwareMode firmware, Arch arch) {
    const rom::Target target = target_of(*rom::find_nic_model(settings.nic_model), firmware, arch);
    std::vector<std::string> reasons;
    for (const RomCandidate& candidate : facts.roms) {
        if (candidate.fault) {
            if (settings.ipxe_rom) {
                return *candidate.fault;
            }
            reasons.push_back(fmt::format("{}: {}", candidate.path.string(), candidate.fault->what));
            continue;
        }
        const auto verdict = rom::match(*candidate.rom, target);
        if (const auto* fit = std::get_if<rom::Fit>(&verdict)) {
            return ChosenRom{{candidate.path, fit->id, reason_for(settings, origins, firmware, arch)},
                             fit->warnings};
        }
        reasons.push_back(
            fmt::format("{}: {}", candidate.path.string(), joined(std::get<rom::Misfit>(verdict).reasons)));
    }
    const std::string what = settings.ipxe_rom
                                 ? fmt::format("{} cannot run {} on {}", firmware_words(firmware, arch),
                                               settings.ipxe_rom->string(), settings.nic_model)
                                 : fmt::format("no iPXE ROM that {} can run on {}",
                                               firmware_words(firmware, arch), settings.nic_model);
    return Fault{what, reasons.empty() ? nothing_found() : joined(reasons),
                 hint_for(settings, firmware, arch), ExitCode::host};
}

}  // namespace vml
