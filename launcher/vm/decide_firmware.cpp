#include <algorithm>

#include <fmt/format.h>

#include "base/shell.h"
#include "launcher/settings/values.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/decide_parts.h"

namespace vml {

namespace {

// OVMF runs an option ROM without a signature, AAVMF does not (edk2 PcdOptionRomImageVerificationPolicy
// in OvmfPkgX64.dsc and ArmVirtQemu.dsc).
void ipxe_with_secure_boot(const DecideInput& in, Arch arch, Findings& findings) {
    if (arch == Arch::aarch64) {
        findings.settings_fault(
            fmt::format("{} and {} do not go together on aarch64", in.origin("ipxe"), in.origin("firmware")),
            "AAVMF with Secure Boot refuses what is not signed, and iPXE is not",
            "boot by the firmware's own PXE or HTTP: --no-ipxe --boot-order network --pxe v4, with a "
            "signed loader");
    } else {
        findings.note(
            "Secure Boot: OVMF runs iPXE's ROM and its scripts, but whatever iPXE starts must be signed "
            "by a key that the firmware knows: shim and what it vouches for boot, an unsigned kernel, iPXE "
            "or GRUB is refused");
    }
}

void tell_of_no_uefi(const DecideInput& in, Arch arch, const MachineChoice& machine, bool secure,
                     Findings& findings) {
    if (secure && machine.family == MachineFamily::pc) {
        findings.settings_fault(
            fmt::format("{}: there is no Secure Boot on {}", in.origin("firmware"), machine.name),
            "it needs System Management Mode, which q35 has", "use --machine q35");
        return;
    }
    findings.host_fault(
        fmt::format("no UEFI firmware{} for {} ({}) is installed",
                    secure ? " with Secure Boot and enrolled keys" : "", to_string(arch), machine.name),
        "no descriptor in /etc/qemu/firmware or /usr/share/qemu/firmware fits",
        fmt::format("apt-get install {}", arch == Arch::x86_64 ? "ovmf" : "qemu-efi-aarch64"));
}

}  // namespace

namespace {

bool check_firmware_file(const DecideInput& in, std::string_view flag,
                         const std::optional<std::filesystem::path>& file,
                         const std::optional<FirmwareFileFacts>& facts, Findings& findings) {
    return !file || (facts && check_path(in, {flag, *file, facts->path}, findings));
}

// What QEMU demands of a machine's flash (hw/arm/virt.c, VIRT_FLASH: a fixed size; hw/i386/pc_sysfw.c,
// pc_system_flash_map) and of its ROM (hw/i386/x86.c, x86_bios_rom_init).
void check_firmware_size(const DecideInput& in, Arch arch, std::string_view flag,
                         const std::filesystem::path& file, std::uint64_t size, Findings& findings) {
    constexpr std::uint64_t arm_flash = std::uint64_t{64} << 20;
    constexpr std::uint64_t unit = std::uint64_t{64} << 10;
    constexpr std::uint64_t page = 4096;
    constexpr std::uint64_t most = std::uint64_t{64} << 20;  // of any board's flash
    const bool flash = in.settings.firmware_vars.has_value();
    const std::string what = fmt::format("{}: cannot use {}", in.origin(flag), file.string());
    if (size > most) {
        findings.host_fault(what, fmt::format("it has {} bytes, and no firmware more than 64 MiB", size),
                            "name the image as it was built: OVMF.fd, OVMF_CODE_4M.fd, coreboot.rom");
    } else if (arch == Arch::aarch64 && flash && size != arm_flash) {
        findings.host_fault(what, fmt::format("it has {} bytes, and the flash of virt 64 MiB", size),
                            fmt::format("truncate -s 64M {}, of a copy", shell_quoted(file.string())));
    } else if (arch == Arch::x86_64 && flash && (size == 0 || size % page != 0)) {
        findings.host_fault(what, fmt::format("it has {} bytes, and a flash whole units of 4 KiB", size),
                            "name the raw image as it was built: OVMF_CODE_4M.fd, OVMF_VARS_4M.fd");
    } else if (arch == Arch::x86_64 && !flash && (size == 0 || size % unit != 0)) {
        findings.host_fault(what, fmt::format("it has {} bytes, and a ROM whole units of 64 KiB", size),
                            "name the image as it was built: OVMF.fd, coreboot.rom");
    }
}

// hw/i386/pc_sysfw.c, FLASH_SIZE_LIMIT.
void check_flash_room(const DecideInput& in, Arch arch, Findings& findings) {
    constexpr std::uint64_t limit = std::uint64_t{8} << 20;
    if (arch == Arch::x86_64 && in.settings.firmware_code && findings.no_fault() &&
        in.facts.firmware_code->size + in.facts.firmware_vars->size > limit) {
        findings.host_fault(fmt::format("{} and {} do not fit together", in.origin("firmware-code"),
                                        in.origin("firmware-vars")),
                            "the flash of a PC has 8 MiB for both",
                            "name the code and the variables of one build");
    }
}

void check_own_firmware(const DecideInput& in, Arch arch, FirmwareMode mode, Findings& findings) {
    const Settings& settings = in.settings;
    if (settings.firmware_vars && !settings.firmware_code) {
        findings.settings_fault(fmt::format("{} needs --firmware-code", in.origin("firmware-vars")),
                                "variables are those of one build", "name the code of the same build");
    } else if (settings.firmware_vars && mode == FirmwareMode::legacy) {
        findings.settings_fault(
            fmt::format("{} and {} contradict each other", in.origin("firmware"), in.origin("firmware-vars")),
            "legacy firmware has no UEFI variables", "leave one of them out");
    } else if (settings.firmware_code && !settings.firmware_vars && mode == FirmwareMode::secure) {
        findings.settings_fault(
            fmt::format("{} needs --firmware-vars", in.origin("firmware")),
            "Secure Boot is on by the keys among the variables, and a whole image keeps none",
            "name the variables of the same build, with keys enrolled");
    }
    const bool good =
        check_firmware_file(in, "firmware-code", settings.firmware_code, in.facts.firmware_code, findings) &&
        check_firmware_file(in, "firmware-vars", settings.firmware_vars, in.facts.firmware_vars, findings);
    if (good && settings.firmware_code) {
        check_firmware_size(in, arch, "firmware-code", *settings.firmware_code, in.facts.firmware_code->size,
                            findings);
    }
    if (good && settings.firmware_vars) {
        check_firmware_size(in, arch, "firmware-vars", *settings.firmware_vars, in.facts.firmware_vars->size,
                            findings);
        check_flash_room(in, arch, findings);
    }
}

}  // namespace

FirmwareSpec decide_firmware(const DecideInput& in, Arch arch, const MachineChoice& machine,
                             Findings& findings) {
    FirmwareSpec firmware{firmware_of(in.settings, arch), std::nullopt};
    check_own_firmware(in, arch, firmware.mode, findings);
    if (in.settings.firmware_code && !in.settings.firmware_vars) {
        firmware.image = in.absolute(*in.settings.firmware_code);
        return firmware;
    }
    if (firmware.mode == FirmwareMode::legacy) {
        if (arch != Arch::x86_64) {
            findings.settings_fault(
                fmt::format("{}: {} has no legacy firmware", in.origin("firmware"), to_string(arch)), "",
                "use --firmware uefi");
        }
        return firmware;
    }
    const bool secure = firmware.mode == FirmwareMode::secure;
    firmware.uefi = choose_firmware(in.facts.uefi, secure, arch, machine.name);
    if (!firmware.uefi) {
        tell_of_no_uefi(in, arch, machine, secure, findings);
    }
    if (secure && in.settings.ipxe) {
        ipxe_with_secure_boot(in, arch, findings);
    }
    return firmware;
}

namespace {

void check_tpm_state(const DecideInput& in, const std::filesystem::path& file, Findings& findings) {
    const std::optional<TpmStateFacts> state = in.facts.data ? in.facts.data->tpm : std::nullopt;
    if (const auto why = state ? why_no_tpm_state(*state) : std::nullopt) {
        findings.host_fault(
            fmt::format("{}: cannot use the TPM's state in {}", in.origin("data-dir"), file.string()), *why,
            "put a copy of it back, if there is one; with the file moved away the TPM begins anew, and "
            "what the guest sealed by it (a disk's key) is lost; --no-tpm does without");
    }
}

void note_unused_tpm(const DecideInput& in, const std::filesystem::path& file, Findings& findings) {
    if (in.facts.data && in.facts.data->tpm && in.facts.data->tpm->size != 0) {
        findings.note(
            fmt::format("the TPM's state that was kept, {}, is not used, and what the guest sealed by "
                        "it (a disk's key) stays locked: --tpm would",
                        file.string()));
    }
}

}  // namespace

std::optional<TpmSpec> decide_tpm(const DecideInput& in, FirmwareMode firmware,
                                  const std::optional<std::filesystem::path>& state_folder,
                                  Findings& findings) {
    if (!wants_tpm(in.settings, firmware)) {
        if (state_folder && !in.settings.tpm.has_value()) {  // else it was said
            note_unused_tpm(in, *state_folder / tpm_state_file, findings);
        }
        return std::nullopt;
    }
    if (!in.facts.swtpm) {
        findings.host_fault("swtpm, which is the VM's TPM, is not installed", "it is in no folder of $PATH",
                            "apt-get install swtpm, or --no-tpm");
        return std::nullopt;
    }
    TpmSpec tpm{*in.facts.swtpm, std::nullopt};
    if (state_folder) {
        tpm.kept = *state_folder / tpm_state_file;
        check_tpm_state(in, *tpm.kept, findings);
    }
    return tpm;
}

bool decide_entropy(const DecideInput& in, FirmwareMode firmware, Findings& findings) {
    const bool uefi = firmware != FirmwareMode::legacy;
    if (uefi && in.settings.rng == false && boots_from(in.settings, BootDevice::network)) {
        findings.note(
            fmt::format("{}: newer UEFI has no network boot without a source of entropy", in.origin("rng")));
    }
    return in.settings.rng.value_or(uefi);
}

std::optional<PxeClient> decide_pxe(const DecideInput& in, FirmwareMode firmware, Findings& findings) {
    const Settings& settings = in.settings;
    const bool network = boots_from(settings, BootDevice::network);
    if (!settings.pxe) {
        // All four, one after the other, would wait a minute each where nobody answers.
        const bool firmware_boots = firmware != FirmwareMode::legacy && !settings.ipxe && network;
        return firmware_boots ? std::optional{PxeClient::v4} : std::nullopt;
    }
    if (firmware == FirmwareMode::legacy) {
        findings.settings_fault(fmt::format("{} needs UEFI", in.origin("pxe")),
                                "SeaBIOS has no network client of its own",
                                "add --firmware uefi, or leave it out");
    } else if (settings.ipxe) {
        findings.settings_fault(
            fmt::format("{} and {} contradict each other", in.origin("ipxe"), in.origin("pxe")),
            "either iPXE boots, or the firmware's own client", "leave one of them out");
    } else if (!network) {
        findings.settings_fault(
            fmt::format("{} has no effect", in.origin("pxe")),
            fmt::format("network is not in the order ({})", to_string(wanted_order(settings))),
            "add --boot-order network");
    }
    return settings.pxe;
}

}  // namespace vml
