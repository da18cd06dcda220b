// Which file the firmware's own client is given on QEMU's user-mode network.
//
// A boot program of the user's, or a loader that goes on by itself, is what DHCP names. What only iPXE can
// boot (a script, a URL where the firmware has PXE alone) follows in a second step: DHCP names an iPXE
// program, and iPXE is then offered the rest.
#include <algorithm>
#include <string_view>
#include <tuple>

#include <fmt/format.h>

#include "base/url.h"
#include "launcher/settings/values.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/kernel_script.h"
#include "launcher/vm/served_folder.h"

namespace vml {

namespace {

bool fetches_by_http(const Settings& settings) {
    return settings.pxe == PxeClient::http4;
}

// Secure Boot refuses a program that nobody signed.
const BootProgram* program_for(const DecideInput& in, const NicFrame& frame, bool is_ipxe) {
    const std::vector<BootProgram>& all = in.facts.boot_programs;
    const auto found = std::find_if(all.begin(), all.end(), [&](const BootProgram& program) {
        return program.is_ipxe == is_ipxe && (program.is_signed || frame.firmware != FirmwareMode::secure);
    });
    return found == all.end() ? nullptr : &*found;
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
    return netboot.is_elsewhere() ? !fetches_by_http(in.settings) : is_script(in, netboot);
}

// What the folder holds, where nothing else is given. iPXE's script goes first, where something can run it.
void choose_from_folder(const DecideInput& in, const NicFrame& frame, Netboot& netboot, Findings& findings) {
    const NetbootFacts& found = *in.facts.netboot;
    const std::string folder = in.settings.netboot_dir->string();
    const BootProgram* const loader = program_for(in, frame, false);
    if (found.has_boot_ipxe && (program_for(in, frame, true) != nullptr || loader == nullptr)) {
        netboot.bootfile = "boot.ipxe";
    } else if (loader != nullptr) {
        netboot.bootfile = loader->name;
        if (found.has_boot_ipxe) {
            findings.note(
                fmt::format("{} of {} boots, and boot.ipxe does not: there is no iPXE program that the "
                            "firmware would run",
                            loader->name, folder));
        }
    } else if (frame.firmware == FirmwareMode::secure) {
        findings.host_fault(fmt::format("{}: {} holds nothing that Secure Boot lets the firmware run",
                                        in.origin("netboot-dir"), folder),
                            fmt::format("no signed boot program for {} is there under a name that is known",
                                        to_string(frame.arch)),
                            fmt::format("put a distribution's chain into it ({}), name another program by "
                                        "--bootfile, or use --firmware uefi",
                                        frame.arch == Arch::x86_64 ? "shimx64.efi and grubx64.efi"
                                                                   : "shimaa64.efi and grubaa64.efi"));
    } else {
        findings.note(fmt::format(
            "{} holds no boot.ipxe and no boot program under a name that is known, and no --bootfile is "
            "given: DHCP will name nothing to boot",
            folder));
    }
}

void tell_of_no_program(const DecideInput& in, const NicFrame& frame, std::string_view source,
                        Findings& findings) {
    if (frame.firmware == FirmwareMode::secure) {
        findings.host_fault(
            fmt::format("{}: only iPXE could boot it, and Secure Boot lets the firmware run none here",
                        in.origin(source)),
            "there is no iPXE program that is signed",
            "serve a distribution's signed chain (shim and GRUB) by --netboot-dir alone, put a signed iPXE "
            "into that folder, or use --firmware uefi");
        return;
    }
    const bool arm = frame.arch == Arch::aarch64;
    findings.host_fault(
        fmt::format("{}: the firmware's own client cannot boot it, and there is no iPXE program for {} that "
                    "it could load first",
                    in.origin(source), to_string(frame.arch)),
        fmt::format("neither the folder of --netboot-dir nor /usr/lib/ipxe holds {}",
                    arm ? "ipxe-arm64.efi or snponly.efi" : "snponly.efi or ipxe.efi"),
        fmt::format("apt-get install ipxe{}, or put the program into a folder, for --netboot-dir{}",
                    arm ? " (Debian 13's)" : "",
                    source == "bootfile" ? "; a URL is what --pxe http4 fetches by itself" : ""));
}

// By TFTP the firmware gets it from QEMU, by HTTP from vm-launch.
bool can_be_fetched(const DecideInput& in, const BootProgram& program, Findings& findings) {
    const bool by_http = fetches_by_http(in.settings);
    const int error = by_http ? program.http_error : program.user_error;
    if (error != 0) {
        findings.host_fault(
            fmt::format("{} cannot be given to the firmware", program.file.string()),
            by_http ? fmt::format("vm-launch serves without privileges: {}", errno_text(error))
                    : fmt::format("QEMU's user {} cannot read it: {}", in.facts.run_user.user->name,
                                  errno_text(error)),
            fmt::format("chmod a+r {} (and a+x the folders above it)", program.file.string()));
    }
    return error == 0;
}

void name_program(const DecideInput& in, const BootProgram& program, Netboot& netboot) {
    netboot.offered_from = user_mode_host(in);
    netboot.firmware_file = program.name;
    if (!fetches_by_http(in.settings)) {
        if (program.in_folder) {
            serve_by_tftp(in, *in.facts.netboot, netboot);
        } else {
            netboot.tftp = program.file.parent_path();
        }
        if (program.real != program.file) {
            netboot.linked.push_back(program.real);
        }
        return;
    }
    if (!program.in_folder || !netboot.folder) {
        netboot.firmware_file = served_name(program.name, netboot.files);
        netboot.files.push_back({*netboot.firmware_file, program.real});
    }
    netboot.http = true;
}

// QEMU's DHCPv6 answers a request for information, and gives no address (libslirp src/dhcpv6.c).
bool has_a_server(const DecideInput& in, std::string_view source, Findings& findings) {
    if (in.settings.pxe != PxeClient::v6 && in.settings.pxe != PxeClient::http6) {
        return true;
    }
    findings.settings_fault(fmt::format("{}: {} gets nothing of it", in.origin(source), in.origin("pxe")),
                            "QEMU's user-mode network gives no address by DHCPv6, which this client asks for",
                            in.settings.pxe == PxeClient::v6 ? "use --pxe v4" : "use --pxe http4");
    return false;
}

}  // namespace

void serve_folder_to_firmware(const DecideInput& in, const NicFrame& frame, Netboot& netboot,
                              Findings& findings) {
    const NetbootFacts& found = *in.facts.netboot;
    const bool given = in.settings.script || in.settings.kernel;
    if (!given && !in.settings.bootfile) {
        choose_from_folder(in, frame, netboot, findings);
    }
    check_bootfile(in, findings);
    const bool to_ipxe = needs_ipxe(in, netboot);
    netboot.http = !netboot.is_elsewhere() && (to_ipxe || fetches_by_http(in.settings)) &&
                   (netboot.bootfile || given) && can_serve_by_http(in, found, findings);
    if (netboot.http) {
        std::ignore = all_links_stay_inside(in, found, true, findings);
    }
    if (to_ipxe && !given && found.read && !netboot.is_elsewhere()) {
        check_script(in, *found.read, findings);
    }
    if (!to_ipxe) {
        serve_by_tftp(in, found, netboot);
        check_folder_for_user(in, netboot.folder->string(), found.folder.user_error, netboot, findings);
    }
}

void give_program_to_firmware(const DecideInput& in, const NicFrame& frame, Netboot& netboot,
                              Findings& findings) {
    if (!netboot.bootfile) {
        return;
    }
    const std::string_view source = in.settings.script     ? "script"
                                    : in.settings.kernel   ? "kernel"
                                    : in.settings.bootfile ? "bootfile"
                                                           : "netboot-dir";
    if (!has_a_server(in, source, findings) || !needs_ipxe(in, netboot)) {
        return;
    }
    const BootProgram* const program = program_for(in, frame, true);
    if (program == nullptr) {
        tell_of_no_program(in, frame, source, findings);
    } else if (can_be_fetched(in, *program, findings)) {
        name_program(in, *program, netboot);
    }
}

}  // namespace vml
