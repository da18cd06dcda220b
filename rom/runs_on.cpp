#include "rom/runs_on.h"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

#include "rom/match.h"

namespace vml::rom {

namespace {

void add_once(std::vector<PciId>& ids, PciId id) {
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) {
        ids.push_back(id);
    }
}

bool contains(const std::vector<PciId>& ids, PciId id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
}

std::vector<PciId> x86_ids(const OptionRom& rom) {
    std::vector<PciId> ids;
    for (const Image& image : rom.images) {
        if (image.code_type == CodeType::x86 && image.id.vendor != 0) {
            add_once(ids, image.id);
        }
    }
    return ids;
}

// Adds the NIC models that can show one of the IDs; under a BIOS, says which of a model's IDs is not among
// them.
void add_models(RunsOn& verdict) {
    for (const NicModel& model : nic_models()) {
        const auto fits = [&](PciId id) { return contains(verdict.ids, id); };
        if (std::none_of(model.ids.begin(), model.ids.end(), fits)) {
            continue;
        }
        verdict.nic_models.push_back(model.name);
        for (const PciId id : model.ids) {
            if (verdict.firmware == Firmware::bios && !fits(id)) {
                verdict.notes.push_back(
                    fmt::format("It does not run on {} when that shows {}.", model.name, to_string(id)));
            }
        }
    }
}

bool fits_with(const OptionRom& rom, PciId id, bool vga_present) {
    return std::holds_alternative<Fit>(match(rom, {Firmware::bios, Arch::x86_64, {id}, vga_present}));
}

void add_bios_id(RunsOn& verdict, const OptionRom& rom, PciId id) {
    const auto result = match(rom, {Firmware::bios, Arch::x86_64, {id}, false});
    const auto* fit = std::get_if<Fit>(&result);
    if (fit == nullptr) {
        return;
    }
    verdict.image_index = verdict.image_index.value_or(fit->image_index);
    verdict.ids.push_back(id);
    if (!fits_with(rom, id, true)) {
        verdict.notes.push_back(
            fmt::format("For {} it is too large beside a VGA card's ROM.", to_string(id)));
    }
}

RunsOn on_bios(const OptionRom& rom) {
    RunsOn verdict;
    const std::vector<PciId> ids = x86_ids(rom);
    for (const PciId id : ids) {
        add_bios_id(verdict, rom, id);
    }
    if (!verdict.image_index) {
        verdict.reasons = std::get<Misfit>(match(rom, {Firmware::bios, Arch::x86_64, ids, false})).reasons;
    }
    if (verdict.image_index && calls_itself_ipxe(rom.images[*verdict.image_index])) {
        verdict.role = IpxeRole::whole;  // there is no BIOS image of iPXE that does not boot
    }
    add_models(verdict);
    return verdict;
}

RunsOn on_uefi(const OptionRom& rom, Arch arch) {
    RunsOn verdict;
    verdict.firmware = Firmware::uefi;
    verdict.arch = arch;
    const auto result = match(rom, {Firmware::uefi, arch, {}, false});
    if (const auto* misfit = std::get_if<Misfit>(&result)) {
        verdict.reasons = misfit->reasons;
        return verdict;
    }
    verdict.image_index = std::get<Fit>(result).image_index;
    const Image& image = rom.images[*verdict.image_index];
    add_once(verdict.ids, image.id);
    for (const std::uint16_t device : image.devices) {
        add_once(verdict.ids, {image.id.vendor, device});
    }
    verdict.role = image.efi->role;
    add_models(verdict);
    if (auto alone = driver_alone(rom, *verdict.image_index)) {
        verdict.notes.push_back(std::move(*alone));
        verdict.notes.emplace_back(
            "With --ipxe the EFI program of the package ipxe (ipxe.efi) boots in its place.");
    }
    return verdict;
}

}  // namespace

std::vector<RunsOn> where_it_runs(const OptionRom& rom) {
    return {on_bios(rom), on_uefi(rom, Arch::x86_64), on_uefi(rom, Arch::aarch64)};
}

}  // namespace vml::rom
