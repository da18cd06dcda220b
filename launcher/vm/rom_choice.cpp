#include "launcher/vm/rom_choice.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "launcher/settings/values.h"

namespace vml {

namespace {

std::string firmware_words(const RomQuestion& question) {
    return fmt::format("{} on {}",
                       question.firmware != FirmwareMode::legacy ? "UEFI" : "legacy firmware (SeaBIOS)",
                       rom::to_string(question.arch));
}

rom::Target target_of(const RomQuestion& question) {
    return {question.firmware != FirmwareMode::legacy ? rom::Firmware::uefi : rom::Firmware::bios,
            question.arch, question.model.ids, false};
}

bool is_asked_for(const RomQuestion& question, const RomCandidate& candidate) {
    return question.asked_for && candidate.path == *question.asked_for;
}

// Debian 12's bundled ROMs are iPXE, Debian 13's are drivers alone; its package ipxe has the whole as a
// program.
std::string uefi_hint(const RomQuestion& question) {
    if (question.asked_for) {
        return fmt::format(
            "leave {} out (a bundled ROM is used, or iPXE's program of the package ipxe), or build a ROM "
            "with "
            "an x86-64 EFI image that is iPXE itself (without EFI_DOWNGRADE_UX, which CONFIG=qemu sets)",
            question.origin);
    }
    const bool any = std::any_of(question.candidates.begin(), question.candidates.end(),
                                 [](const RomCandidate& candidate) { return candidate.rom.has_value(); });
    return fmt::format(
        "apt-get install ipxe{} (iPXE's program /usr/lib/ipxe/ipxe.efi stands in where no ROM "
        "boots iPXE), or give a ROM or such a program by --ipxe-rom PATH",
        any ? "" : " ipxe-qemu");
}

// What would mend the lack of a ROM.
std::string hint_for(const RomQuestion& question) {
    if (question.arch == Arch::aarch64) {
        return "give an option ROM with an AArch64 EFI image (Debian's ipxe-qemu has none) or iPXE's program "
               "by "
               "--ipxe-rom PATH: Debian 13's package ipxe has it as /usr/lib/ipxe/ipxe-arm64.efi; or boot "
               "through "
               "the firmware's own PXE: --no-ipxe --boot-order network";
    }
    if (question.firmware != FirmwareMode::legacy) {
        return uefi_hint(question);
    }
    const auto files = rom::candidate_files(question.model, target_of(question).firmware);
    if (question.asked_for) {
        return fmt::format(
            "leave {} out (the bundled {} fits), or build a ROM with this PCI ID and a BIOS image",
            question.origin, files.front());
    }
    return fmt::format("apt-get install ipxe-qemu (it has {}), or give a ROM by --ipxe-rom PATH",
                       files.front());
}

std::string reason_for(const RomQuestion& question, const RomCandidate& candidate) {
    const std::string runs = fmt::format("{} runs it on {}", firmware_words(question), question.model.name);
    return is_asked_for(question, candidate)
               ? fmt::format("{} asks for this ROM, and {}", question.origin, runs)
               : fmt::format("the bundled iPXE ROM: {}", runs);
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

bool shows(const rom::NicModel& model, const rom::PciId& id) {
    return std::find(model.ids.begin(), model.ids.end(), id) != model.ids.end();
}

// Which of the known NIC models shows this ID, if any.
const rom::NicModel* model_with(const rom::PciId& id) {
    const auto& models = rom::nic_models();
    const auto found =
        std::find_if(models.begin(), models.end(), [&](const auto& model) { return shows(model, id); });
    return found == models.end() ? nullptr : &*found;
}

// UEFI starts any driver, whatever its ID; one that is made for another NIC then finds nothing to drive, and
// the firmware's own PXE boots in its place.
std::optional<std::string> foreign_driver(const RomQuestion& question, const rom::Image& image,
                                          std::size_t index) {
    if (question.firmware == FirmwareMode::legacy || shows(question.model, image.id)) {
        return std::nullopt;
    }
    const rom::NicModel* other = model_with(image.id);
    if (other != nullptr) {
        return fmt::format("{} is a driver for {} ({}), not for {}.", rom::image_label(index), other->name,
                           rom::to_string(image.id), question.model.name);
    }
    return std::nullopt;
}

// QEMU gives its own default ROM the device's PCI ID when it loads it (hw/pci/pci.c, pci_patch_ids), so a
// bundled ROM for a family of chips fits if it would with that ID.
std::optional<ChosenRom> as_qemu_default(const RomQuestion& question, const RomCandidate& candidate) {
    if (question.firmware != FirmwareMode::legacy || is_asked_for(question, candidate)) {
        return std::nullopt;
    }
    rom::OptionRom patched = *candidate.rom;
    for (rom::Image& image : patched.images) {
        if (model_with(image.id) == nullptr) {  // a ROM for another NIC stays one
            image.id = question.model.ids.front();
        }
    }
    const auto verdict = rom::match(patched, target_of(question));
    const auto* fit = std::get_if<rom::Fit>(&verdict);
    if (fit == nullptr) {
        return std::nullopt;
    }
    return ChosenRom{
        {candidate.path, fit->id,
         fmt::format("QEMU's default iPXE ROM for {}: QEMU gives it the NIC's PCI ID", question.model.name),
         true},
        fit->warnings};
}

// UEFI may run a ROM that boots no iPXE; for a BIOS, running it is all.
std::string refusal(const RomQuestion& question) {
    const bool uefi = question.firmware != FirmwareMode::legacy;
    const std::string where = firmware_words(question);
    const std::string& nic = question.model.name;
    if (question.asked_for) {
        return fmt::format("{}: {} cannot {} {} on {}", question.origin, where,
                           uefi ? "boot iPXE from" : "run", question.asked_for->string(), nic);
    }
    return uefi ? fmt::format("no iPXE ROM boots {} under {}", nic, where)
                : fmt::format("no iPXE ROM that {} can run on {}", where, nic);
}

// Why iPXE does not boot this NIC, although the firmware runs the image.
std::optional<std::string> does_not_boot(const RomQuestion& question, const RomCandidate& candidate,
                                         std::size_t index) {
    auto foreign = foreign_driver(question, candidate.rom->images.at(index), index);
    return foreign ? foreign : rom::driver_alone(*candidate.rom, index);
}

// Why the firmware's own client does not boot this NIC by the image.
std::optional<std::string> does_not_drive(const RomQuestion& question, const RomCandidate& candidate,
                                          std::size_t index) {
    if (auto foreign = foreign_driver(question, candidate.rom->images.at(index), index)) {
        return foreign;
    }
    if (rom::driver_alone(*candidate.rom, index)) {
        return std::nullopt;
    }
    return fmt::format("it is {}, and would boot in that client's place.",
                       is_asked_for(question, candidate) ? "not known to be a driver alone" : "iPXE itself");
}

// The choice, or why this candidate is none: the firmware does not run it, or it does not do what it is for.
std::variant<ChosenRom, std::string> judge(const RomQuestion& question, const RomCandidate& candidate,
                                           decltype(does_not_boot)& why_unfit) {
    const auto none = [&](std::string_view why) {
        return fmt::format("{}: {}", candidate.path.string(), why);
    };
    if (candidate.fault) {
        return none(candidate.fault->why);
    }
    const auto verdict = rom::match(*candidate.rom, target_of(question));
    if (const auto* fit = std::get_if<rom::Fit>(&verdict)) {
        if (const auto why = why_unfit(question, candidate, fit->image_index)) {
            return none(*why);
        }
        return ChosenRom{{candidate.path, fit->id, reason_for(question, candidate), false, candidate.bytes},
                         fit->warnings};
    }
    if (auto patched = as_qemu_default(question, candidate)) {
        return *patched;
    }
    return none(joined(std::get<rom::Misfit>(verdict).reasons));
}

}  // namespace

std::variant<ChosenRom, Fault> choose_rom(const RomQuestion& question) {
    std::vector<std::string> reasons;
    for (const RomCandidate& candidate : question.candidates) {
        auto verdict = judge(question, candidate, does_not_boot);
        if (auto* chosen = std::get_if<ChosenRom>(&verdict)) {
            return std::move(*chosen);
        }
        reasons.push_back(std::get<std::string>(std::move(verdict)));
        if (candidate.fault && is_asked_for(question, candidate) && question.candidates.size() == 1) {
            Fault fault = *candidate.fault;
            fault.what = fmt::format("{}: {}", question.origin, fault.what);
            return fault;
        }
    }
    return Fault{refusal(question), reasons.empty() ? nothing_found() : joined(reasons), hint_for(question),
                 ExitCode::host};
}

std::variant<ChosenRom, Fault> choose_driver(const RomQuestion& question) {
    std::vector<std::string> reasons;
    for (const RomCandidate& candidate : question.candidates) {
        auto verdict = judge(question, candidate, does_not_drive);
        if (auto* chosen = std::get_if<ChosenRom>(&verdict)) {
            chosen->rom.reason = fmt::format(
                "{} for {}: the firmware's own PXE boots by this driver",
                is_asked_for(question, candidate) ? question.origin + " names it" : "the bundled ROM",
                question.model.name);
            chosen->rom.driver = true;
            return std::move(*chosen);
        }
        reasons.push_back(std::get<std::string>(std::move(verdict)));
    }
    return Fault{
        fmt::format("{} has no driver for {}", firmware_words(question), question.model.name),
        fmt::format("its own client drives virtio alone, and no ROM drives the NIC for it: {}",
                    reasons.empty() ? nothing_found() : joined(reasons)),
        "use --nic-model virtio, let iPXE boot (--ipxe), or give a ROM that is a driver by --ipxe-rom PATH, "
        "as "
        "Debian 13's ipxe-qemu has them for x86_64",
        ExitCode::host};
}

}  // namespace vml
