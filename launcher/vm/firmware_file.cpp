// Which file the firmware's own client is given, on QEMU's user-mode network, on a bridge or on an isolated
// segment.
//
// A boot program of the user's, or a loader that goes on by itself, is what DHCP names. What only iPXE can
// boot (a script, a URL where the firmware has PXE alone) follows in a second step: DHCP names an iPXE
// program, and iPXE is then offered the rest.
#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/url.h"
#include "launcher/settings/values.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/firmware_client.h"
#include "launcher/vm/kernel_script.h"
#include "launcher/vm/served_folder.h"

namespace vml {

namespace {

bool is_on_bridge(const DecideInput& in) {
    return client_network(in) == NetworkMode::bridge;
}

// In user mode TFTP is QEMU's; whatever else the firmware fetches vm-launch serves itself.
bool is_served_by_qemu(const DecideInput& in) {
    return !fetches_by_http(in.settings) && client_network(in) == NetworkMode::nat;
}

int fetch_error(const DecideInput& in, const BootProgram& program) {
    return is_served_by_qemu(in) ? program.user_error : program.http_error;
}

// Secure Boot refuses a program that nobody signed. One that nobody can read is given for the message alone.
const BootProgram* program_for(const DecideInput& in, const NicFrame& frame, bool is_ipxe) {
    const BootProgram* unreadable = nullptr;
    for (const BootProgram& program : in.facts.boot_programs) {
        if (program.is_ipxe != is_ipxe || (!program.is_signed && frame.firmware == FirmwareMode::secure)) {
            continue;
        }
        if (fetch_error(in, program) == 0) {
            return &program;
        }
        unreadable = unreadable == nullptr ? &program : unreadable;
    }
    return unreadable;
}

// The disk or the CD alone.
void boot_nothing(Netboot& netboot) {
    netboot.bootfile.reset();
    netboot.files.clear();
    netboot.http = false;
}

// The bootfile, in the folder, is for iPXE alone.
bool is_script(const DecideInput& in, const Netboot& netboot) {
    return in.facts.netboot && netboot.bootfile == in.settings.bootfile.value_or("boot.ipxe") &&
           (in.facts.netboot->script || !in.settings.bootfile);
}

bool needs_ipxe(const DecideInput& in, const Netboot& netboot) {
    if (in.settings.script || in.settings.kernel) {
        return true;
    }
    if (!netboot.is_elsewhere()) {
        return is_script(in, netboot);
    }
    const std::string& url = *netboot.bootfile;
    return !fetches_by_http(in.settings) || !url.starts_with("http") || url.ends_with(".ipxe");
}

void tell_of_empty_folder(const DecideInput& in, const NicFrame& frame, Findings& findings) {
    const std::string folder = in.settings.netboot_dir->string();
    const BootProgram* const ipxe = program_for(in, frame, true);
    const std::string has = ipxe != nullptr && ipxe->in_folder
                                ? fmt::format("{} and no boot.ipxe that it could run", ipxe->name)
                                : "no boot.ipxe and no boot program under a name that is known";
    findings.note(fmt::format("{} holds {}, and no --bootfile is given: {}", folder, has,
                              is_on_bridge(in)
                                  ? "nothing of it is served, and the network alone says what boots"
                                  : "DHCP will name nothing to boot"));
}

Fault unsigned_folder(const DecideInput& in, const NicFrame& frame) {
    return {fmt::format("{}: {} holds nothing that Secure Boot lets the firmware run",
                        in.origin("netboot-dir"), in.settings.netboot_dir->string()),
            fmt::format("no signed boot program for {} is there under a name that is known",
                        to_string(frame.arch)),
            fmt::format(
                "put a distribution's chain into it ({}), name another program by --bootfile, or use "
                "--firmware uefi",
                frame.arch == Arch::x86_64 ? "shimx64.efi and grubx64.efi" : "shimaa64.efi and grubaa64.efi"),
            ExitCode::host};
}

// What the folder holds, where nothing else is given. iPXE's script goes first, where something can run it.
// Gives the loader, where that is it.
const BootProgram* choose_from_folder(const DecideInput& in, const NicFrame& frame, Netboot& netboot,
                                      Findings& findings) {
    const NetbootFacts& found = *in.facts.netboot;
    const BootProgram* const loader = program_for(in, frame, false);
    if (found.has_boot_ipxe && (program_for(in, frame, true) != nullptr || loader == nullptr)) {
        netboot.bootfile = "boot.ipxe";
        return nullptr;
    }
    if (loader != nullptr) {
        netboot.bootfile = loader->name;
        if (found.has_boot_ipxe) {
            findings.note(
                fmt::format("{} of {} boots, and boot.ipxe does not: there is no iPXE program that the "
                            "firmware would run",
                            loader->name, in.settings.netboot_dir->string()));
        }
    } else if (frame.firmware == FirmwareMode::secure) {
        tell_of_no_boot(in, unsigned_folder(in, frame), findings);
    } else {
        tell_of_empty_folder(in, frame, findings);
    }
    return loader;
}

// The flag of what is served.
std::string_view served_by(const DecideInput& in) {
    return in.settings.script     ? "script"
           : in.settings.kernel   ? "kernel"
           : in.settings.bootfile ? "bootfile"
                                  : "netboot-dir";
}

Fault no_program(const DecideInput& in, const NicFrame& frame) {
    const std::string_view source = served_by(in);
    if (frame.firmware == FirmwareMode::secure) {
        return {
            fmt::format("{}: only iPXE could boot it, and Secure Boot lets the firmware run none here",
                        in.origin(source)),
            "there is no iPXE program that is signed",
            "serve a distribution's signed chain (shim and GRUB) by --netboot-dir alone, put a signed iPXE "
            "into that folder, or use --firmware uefi",
            ExitCode::host};
    }
    const bool arm = frame.arch == Arch::aarch64;
    return {fmt::format("{}: the firmware's own client cannot boot it, and there is no iPXE program for {} "
                        "that it could load first",
                        in.origin(source), to_string(frame.arch)),
            fmt::format("neither {}/usr/lib/ipxe nor /usr/share/ipxe holds {}",
                        in.settings.netboot_dir ? in.settings.netboot_dir->string() + " nor " : "",
                        arm ? "ipxe-arm64.efi or snponly.efi" : "snponly.efi or ipxe.efi"),
            fmt::format("apt-get install ipxe{}, or put the program into a folder, for --netboot-dir{}",
                        arm ? " (Debian 13's)" : "",
                        source == "bootfile" ? "; a URL is what --pxe http4 fetches by itself" : ""),
            ExitCode::host};
}

bool can_be_fetched(const DecideInput& in, const BootProgram& program, Findings& findings) {
    const int error = fetch_error(in, program);
    if (error != 0) {
        tell_of_no_boot(in,
                        {fmt::format("{} cannot be given to the firmware", program.file.string()),
                         is_served_by_qemu(in)
                             ? fmt::format("QEMU's user {} cannot read it: {}", in.facts.run_user.user->name,
                                           errno_text(error))
                             : fmt::format("vm-launch serves without privileges: {}", errno_text(error)),
                         fmt::format("chmod a+r {} (and a+x the folders above it)", program.file.string()),
                         ExitCode::host},
                        findings);
    }
    return error == 0;
}

// TFTP follows a link out of its folder, to what QEMU may open.
void follow_link(const BootProgram& program, Netboot& netboot) {
    std::vector<std::filesystem::path>& linked = netboot.linked;
    if (program.real != program.file &&
        std::find(linked.begin(), linked.end(), program.real) == linked.end()) {
        linked.push_back(program.real);
    }
}

void name_program(const DecideInput& in, const BootProgram& program, Netboot& netboot) {
    if (client_network(in) == NetworkMode::nat) {
        netboot.offered_from = user_mode_host(in);
    }
    netboot.firmware_file = program.name;
    if (is_served_by_qemu(in)) {
        if (program.in_folder) {
            serve_by_tftp(in, *in.facts.netboot, netboot);
        } else {
            netboot.tftp = program.file.parent_path();
            netboot.firmware_file = program.file.filename().string();
        }
        follow_link(program, netboot);
        return;
    }
    if (!program.in_folder || !netboot.folder || program.real != program.file) {
        netboot.firmware_file = served_name(program.name, netboot.files);
        netboot.files.push_back({*netboot.firmware_file, program.real});
    }
    netboot.http = true;
}

// QEMU's DHCP knows one name for all who ask; on a bridge what is named is for the firmware.
void note_ipxe_by_name(const DecideInput& in, Findings& findings) {
    for (const BootProgram& program : in.facts.boot_programs) {
        if (program.is_ipxe && program.in_folder && program.name == in.settings.bootfile &&
            in.facts.netboot->has_boot_ipxe) {
            findings.note(
                fmt::format("{} is iPXE, and {}: without --bootfile it gets boot.ipxe", program.name,
                            is_on_bridge(in) ? "vm-launch offers it nothing more"
                                             : "DHCP names it to iPXE too, which then loads itself again"));
        }
    }
}

// What boots is served though a link leads to it from outside. Gives the other links.
std::vector<OutsideLink> serve_linked(const DecideInput& in, const NicFrame& frame, const BootProgram* loader,
                                      Netboot& netboot) {
    std::vector<OutsideLink> others = in.facts.netboot->outside_links;
    if (needs_ipxe(in, netboot)) {
        if (const BootProgram* const program = program_for(in, frame, true)) {
            std::erase_if(others, [&](const OutsideLink& link) { return link.name == program->name; });
        }
    }
    if (!in.settings.script && !in.settings.kernel) {
        serve_linked_bootfile(others, netboot);
    }
    if (loader != nullptr && loader->real != loader->file && netboot.files.empty()) {
        netboot.files.push_back({loader->name, loader->real});
    }
    return others;
}

}  // namespace

std::vector<Fault> unserved_faults(const DecideInput& in, const NicFrame& frame) {
    std::vector<Fault> faults{no_program(in, frame)};
    if (in.settings.netboot_dir) {
        faults.push_back(unsigned_folder(in, frame));
    }
    return faults;
}

void serve_folder_to_firmware(const DecideInput& in, const NicFrame& frame, Netboot& netboot,
                              Findings& findings) {
    const NetbootFacts& found = *in.facts.netboot;
    const bool given = in.settings.script || in.settings.kernel;
    const BootProgram* const loader =
        given || in.settings.bootfile ? nullptr : choose_from_folder(in, frame, netboot, findings);
    check_bootfile(in, findings);
    const bool to_ipxe = needs_ipxe(in, netboot);
    netboot.http = !netboot.is_elsewhere() && (to_ipxe || !is_served_by_qemu(in)) &&
                   (netboot.bootfile || given) && can_serve_by_http(in, found, findings);
    if (netboot.http) {
        std::ignore = all_links_stay_inside(in, serve_linked(in, frame, loader, netboot), true, findings);
    }
    if (to_ipxe && !given && found.read && !netboot.is_elsewhere()) {
        check_script(in, *found.read, findings);
    }
    if (!to_ipxe) {
        note_ipxe_by_name(in, findings);
    }
    const bool in_user_mode = client_network(in) == NetworkMode::nat;
    if (!to_ipxe && in_user_mode) {
        serve_by_tftp(in, found, netboot);
        check_folder_for_user(in, netboot.folder->string(), found.folder.user_error, netboot, findings);
    }
    if (loader != nullptr) {
        if (in_user_mode) {
            follow_link(*loader, netboot);
        }
        const int told_of = is_served_by_qemu(in) ? found.folder.user_error : found.http_error;
        if (told_of == 0 && !can_be_fetched(in, *loader, findings)) {
            boot_nothing(netboot);
        }
    }
}

bool give_program_to_firmware(const DecideInput& in, const NicFrame& frame, Netboot& netboot,
                              Findings& findings) {
    if (!netboot.bootfile) {
        return true;
    }
    const BootProgram* const program = program_for(in, frame, true);
    if (has_a_server(in, served_by(in), findings)) {
        if (!needs_ipxe(in, netboot)) {
            return true;
        }
        if (program == nullptr) {
            tell_of_no_boot(in, no_program(in, frame), findings);
        } else if (can_be_fetched(in, *program, findings)) {
            name_program(in, *program, netboot);
            return true;
        }
    }
    boot_nothing(netboot);
    return false;
}

}  // namespace vml
