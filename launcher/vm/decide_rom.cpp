#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "launcher/settings/values.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/firmware_client.h"
#include "launcher/vm/rom_choice.h"

namespace vml {

namespace {

// The program numbers the NICs as the bus does, and tries all of them unless told which.
std::string nics_to_boot(const Settings& settings) {
    std::string names;
    bool all = true;
    for (std::size_t i = 0; i < settings.nics.size(); ++i) {
        if (takes_part_in_boot(settings.nics[i], i)) {
            names += fmt::format(" net{}", i);
        } else {
            all = false;
        }
    }
    return all ? "" : names;
}

// OVMF runs a ROM that nobody signed, but no program: QEMU's -kernel is verified like any other.
Fault unsigned_program(const DecideInput& in, const Fault& no_rom, const EfiProgram& program) {
    const std::string path = program.path.string();
    return {"iPXE cannot run with Secure Boot here",
            in.settings.ipxe_rom
                ? fmt::format("{} names {}, which is not signed: the firmware would refuse it",
                              in.origin("ipxe-rom"), path)
                : fmt::format("{} ({}), and {}, which could stand in for a ROM, is not signed: the "
                              "firmware would refuse it",
                              no_rom.what, no_rom.why, path),
            "boot a signed loader by the firmware's own PXE: --no-ipxe --boot-order network --pxe v4, "
            "with a distribution's shim as the --bootfile; or give a ROM that is iPXE itself, or a "
            "signed program, by --ipxe-rom; or use --firmware uefi",
            ExitCode::host};
}

Fault unfit_program(const DecideInput& in, Arch arch, const EfiProgram& program) {
    if (program.arch == arch) {
        return {fmt::format("{} finds no NIC here", program.path.string()),
                "it is iPXE's snponly.efi, which drives the NIC alone that the firmware loaded it by",
                fmt::format("give iPXE's ipxe.efi by {}, or serve it to the firmware's own PXE: --no-ipxe "
                            "--boot-order network --bootfile {}",
                            in.origin("ipxe-rom"), program.path.filename().string()),
                ExitCode::host};
    }
    return {
        fmt::format("{} cannot boot {}", to_string(arch), program.path.string()),
        fmt::format("it is an EFI program for {}", to_string(program.arch)),
        fmt::format("leave {} out, or give iPXE's program for {}", in.origin("ipxe-rom"), to_string(arch)),
        ExitCode::host};
}

// `autoboot` is what the ROM does, without its prompt; EFI's iPXE drops the first word.
IpxeProgramSpec in_place_of_rom(const DecideInput& in, const Fault& no_rom, const EfiProgram& program) {
    const bool on_cd = in.settings.boot_once.has_value();
    return {program.path, program.arch,
            in.settings.ipxe_prompt || on_cd ? "" : "ipxe autoboot" + nics_to_boot(in.settings),
            in.settings.ipxe_rom
                ? fmt::format("{} asks for this program, which stands in for the ROM", in.origin("ipxe-rom"))
                : fmt::format("the iPXE program stands in for the ROM: {} ({})", no_rom.what, no_rom.why),
            on_cd};
}

// Where no ROM can do it, a program may; it tries every NIC, so one is enough for all of them.
void use_program(const DecideInput& in, const NicFrame& frame, const Fault& no_rom,
                 std::optional<IpxeProgramSpec>& program, Findings& findings) {
    const std::vector<EfiProgram>& there = in.facts.ipxe_programs;
    const auto fitting = std::find_if(there.begin(), there.end(), [&](const EfiProgram& p) {
        return p.arch == frame.arch && !p.needs_network;
    });
    if (!in.settings.ipxe || (fitting == there.end() && (!in.settings.ipxe_rom || there.empty()))) {
        findings.add(no_rom);
    } else if (fitting == there.end()) {
        findings.add(unfit_program(in, frame.arch, there.front()));
    } else if (!program && frame.firmware == FirmwareMode::secure && !fitting->is_signed) {
        findings.once(unsigned_program(in, no_rom, *fitting));
    } else if (!program) {
        program = in_place_of_rom(in, no_rom, *fitting);
    }
}

RomQuestion question_of(const DecideInput& in, const NicFrame& frame, std::size_t index) {
    return {*rom::find_nic_model(in.settings.nics[index].model),
            frame.firmware,
            frame.arch,
            in.facts.roms.at(index),
            in.settings.ipxe_rom,
            in.origin("ipxe-rom")};
}

RomSpec taken(ChosenRom chosen, Findings& findings) {
    for (std::string& warning : chosen.warnings) {
        findings.note(std::move(warning));
    }
    return std::move(chosen.rom);
}

// Is there another NIC that UEFI's own client boots?
bool boots_another(const DecideInput& in, const NicFrame& frame, std::size_t index) {
    for (std::size_t i = 0; i < in.settings.nics.size(); ++i) {
        if (i != index && takes_part_in_boot(in.settings.nics[i], i) &&
            (!needs_driver(in.settings, i, frame.firmware) ||
             std::holds_alternative<ChosenRom>(choose_driver(question_of(in, frame, i))))) {
            return true;
        }
    }
    return false;
}

// Do the user's own QEMU arguments name a ROM, or a NIC, which has a ROM of its own or needs none?
bool may_bring_driver(const std::vector<std::string>& extra_args) {
    std::string_view before;
    for (const std::string& word : extra_args) {
        const std::string_view option = before.substr(std::min(before.size(), before.find_first_not_of('-')));
        if (word.find("romfile") != std::string::npos || option == "nic" || option == "net" ||
            (option == "device" && word.find("netdev") != std::string::npos)) {
            return true;
        }
        before = word;
    }
    return false;
}

// Of a NIC that UEFI's own client boots.
std::optional<RomSpec> decide_driver(const DecideInput& in, const NicFrame& frame, std::size_t index,
                                     Findings& findings) {
    auto chosen = choose_driver(question_of(in, frame, index));
    auto* const none = std::get_if<Fault>(&chosen);
    if (none == nullptr) {
        return taken(std::get<ChosenRom>(std::move(chosen)), findings);
    }
    if (may_bring_driver(in.settings.extra_args)) {
        findings.note(fmt::format("{}, unless your own QEMU arguments bring one: {} ({})", none->what,
                                  none->why, none->hint));
    } else if (boots_another(in, frame, index)) {
        findings.note(
            fmt::format("NIC {} does not boot: {}: {} ({})", index + 1, none->what, none->why, none->hint));
    } else {
        tell_of_no_boot(in, std::move(*none), findings);
    }
    return std::nullopt;
}

}  // namespace

std::optional<RomSpec> decide_rom(const DecideInput& in, const NicFrame& frame, std::size_t index,
                                  std::optional<IpxeProgramSpec>& program, Findings& findings) {
    const bool legacy = frame.firmware == FirmwareMode::legacy;
    const NicSettings& nic = in.settings.nics[index];
    const bool for_firmware = needs_driver(in.settings, index, frame.firmware);
    if (!takes_part_in_boot(nic, index) ||
        !(in.settings.ipxe || for_firmware || (legacy && boots_from(in.settings, BootDevice::network)))) {
        return std::nullopt;
    }
    if (for_firmware) {
        return decide_driver(in, frame, index, findings);
    }
    auto chosen = choose_rom(question_of(in, frame, index));
    if (const auto* no_rom = std::get_if<Fault>(&chosen)) {
        use_program(in, frame, *no_rom, program, findings);
        return std::nullopt;
    }
    return taken(std::get<ChosenRom>(std::move(chosen)), findings);
}

}  // namespace vml
