#include "launcher/host/boot_programs.h"

#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>

#include "launcher/host/file_head.h"
#include "launcher/host/offered_file.h"
#include "launcher/process/run_user.h"
#include "launcher/vm/boot_sources.h"
#include "rom/efi_program.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

// As Debian's package ipxe, Fedora's ipxe-bootimgs and iPXE's own build call them. snponly.efi goes first: it
// drives the NIC by the firmware's driver, which is known to work.
std::vector<std::string_view> ipxe_names(Arch arch) {
    if (arch == Arch::aarch64) {
        return {"snponly.efi", "snponly-arm64.efi",     "ipxe-arm64.efi",
                "ipxe.efi",    "arm64-efi/snponly.efi", "arm64-efi/ipxe.efi"};
    }
    return {"snponly.efi",        "snponly-amd64.efi", "snponly-x86_64.efi", "ipxe-snponly-x86_64.efi",
            "ipxe.efi",           "ipxe-amd64.efi",    "ipxe-x86_64.efi",    "x86_64-efi/snponly.efi",
            "x86_64-efi/ipxe.efi"};
}

// shim first, as the packages shim-signed and Debian's installer call it, then what the specification of
// removable media does (UEFI 2.10, 3.5.1.1), then GRUB without shim.
std::vector<std::string_view> loader_names(Arch arch) {
    if (arch == Arch::aarch64) {
        return {"shimaa64.efi",          "shimaa64.efi.signed",
                "bootnetaa64.efi",       "debian-installer/arm64/bootnetaa64.efi",
                "bootaa64.efi",          "BOOTAA64.EFI",
                "EFI/BOOT/BOOTAA64.EFI", "grubnetaa64.efi",
                "grubaa64.efi"};
    }
    return {
        "shimx64.efi", "shimx64.efi.signed", "bootnetx64.efi",       "debian-installer/amd64/bootnetx64.efi",
        "bootx64.efi", "BOOTX64.EFI",        "EFI/BOOT/BOOTX64.EFI", "grubnetx64.efi",
        "grubx64.efi"};
}

struct Place {
    fs::path folder;
    bool is_users = false;
    bool ipxe = false;  // or else loaders
};

void look_in(const Place& place, Arch arch, std::vector<BootProgram>& programs) {
    for (const std::string_view name : place.ipxe ? ipxe_names(arch) : loader_names(arch)) {
        const fs::path file = place.folder / name;
        const auto head = rom::efi_program_head(head_of(file, rom::efi_head_size));
        if (head && head->arch == arch) {
            const OfferedFile offered = look_at_offered(file);
            std::error_code gone;
            programs.push_back({fs::absolute(file, gone), std::string{name}, place.ipxe, head->is_signed,
                                place.is_users, offered.real, offered.http_error});
        }
    }
}

void ask_for(const RunUser& user, std::vector<BootProgram>& programs) {
    std::vector<AccessQuestion> questions;
    questions.reserve(programs.size());
    for (const BootProgram& program : programs) {
        questions.push_back({program.file, O_RDONLY});
    }
    const std::vector<int> errors = open_errors_as(user, questions);
    for (std::size_t i = 0; i < programs.size(); ++i) {
        programs[i].user_error = errors[i];
    }
}

}  // namespace

std::vector<BootProgram> boot_programs(const Settings& settings, FirmwareMode firmware, Arch arch,
                                       const std::optional<RunUser>& user) {
    const std::optional<std::size_t> nic = netboot_nic(settings);
    if (!nic || !boots_by_firmware(settings, *nic, firmware)) {
        return {};
    }
    std::vector<Place> places{{"/usr/lib/ipxe", false, true}, {"/usr/share/ipxe", false, true}};
    if (settings.netboot_dir) {
        places.insert(places.begin(), {*settings.netboot_dir, true, true});
        places.push_back({*settings.netboot_dir, true, false});
    }
    std::vector<BootProgram> programs;
    for (const Place& place : places) {
        look_in(place, arch, programs);
    }
    if (user && !programs.empty()) {
        ask_for(*user, programs);
    }
    return programs;
}

}  // namespace vml
