#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "base/url.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/kernel_script.h"
#include "launcher/vm/served_folder.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

// What stands in the folder is the bootfile, unless something else is given.
void choose_bootfile(const DecideInput& in, bool by_us, Netboot& netboot, Findings& findings) {
    const NetbootFacts& found = *in.facts.netboot;
    if (in.settings.bootfile || in.settings.script || in.settings.kernel) {
        return;
    }
    if (found.has_boot_ipxe) {
        netboot.bootfile = "boot.ipxe";
        return;
    }
    findings.note(fmt::format("{} holds no boot.ipxe and no --bootfile is given: {}",
                              in.settings.netboot_dir->string(),
                              by_us ? "DHCP will name nothing to boot"
                                    : "nothing of it is served, and the network alone says what boots"));
}

void serve_by_tftp_too(const DecideInput& in, const NetbootFacts& found, bool to_ipxe, Netboot& netboot,
                       Findings& findings) {
    const fs::path& folder = *in.settings.netboot_dir;
    serve_by_tftp(in, found, netboot);
    const bool given = in.settings.script || in.settings.kernel;
    if (given && !netboot.is_elsewhere()) {
        netboot.http = can_serve_by_http(in, found, findings);
        std::ignore = all_links_stay_inside(in, found.outside_links, true, findings);
        check_folder_for_user(in, folder, found.folder.user_error, netboot, findings);
        return;
    }
    // A loader that is no script may be an old one, which goes on by TFTP from where it came.
    const bool script = found.script && !netboot.is_elsewhere();
    netboot.http = to_ipxe && script && found.http_error == 0 &&
                   all_links_stay_inside(in, found.outside_links, false, findings);
    check_folder_for_user(in, folder, found.folder.user_error, netboot, findings);
    if (to_ipxe && script && found.http_error != 0) {
        findings.note(fmt::format("{} is not served by HTTP, only by TFTP, which is slower: {}",
                                  folder.string(), errno_text(found.http_error)));
    }
}

// What the guest gets of the folder by HTTP, as all that is served on a bridge.
void serve_by_http_alone(const DecideInput& in, const NetbootFacts& found, Netboot& netboot,
                         Findings& findings) {
    netboot.http = !netboot.is_elsewhere();
    if (netboot.is_elsewhere()) {
        findings.note(fmt::format("{}: on a bridge nothing of the folder is served, as {} is elsewhere",
                                  in.origin("netboot-dir"), *netboot.bootfile));
        return;
    }
    std::vector<OutsideLink> links = found.outside_links;
    serve_linked_bootfile(links, netboot);
    std::ignore = all_links_stay_inside(in, links, true, findings);
    std::ignore = can_serve_by_http(in, found, findings);
    if (netboot.bootfile && in.settings.bootfile && !found.script) {
        findings.note(
            fmt::format("{} is no iPXE script: a loader that goes on by TFTP finds nothing, as vm-launch "
                        "serves a guest on a bridge by HTTP alone",
                        *netboot.bootfile));
    }
}

// On a segment, where vm-launch's own TFTP serves what its HTTP does.
void serve_on_segment(const DecideInput& in, const NetbootFacts& found, Netboot& netboot,
                      Findings& findings) {
    std::vector<OutsideLink> links = found.outside_links;
    serve_linked_bootfile(links, netboot);
    std::ignore = all_links_stay_inside(in, links, true, findings);
    netboot.http = can_serve_by_http(in, found, findings);
}

void serve_folder(const DecideInput& in, const NicFrame& frame, std::size_t index, Netboot& netboot,
                  Findings& findings) {
    const fs::path& folder = *in.settings.netboot_dir;
    const NetbootFacts& found = *in.facts.netboot;
    if (!check_path(in, {"netboot-dir", folder, found.folder, PathFacts::Kind::folder}, findings)) {
        return;
    }
    netboot.folder = in.absolute(folder);
    if (boots_by_firmware(in.settings, index, frame.firmware)) {
        serve_folder_to_firmware(in, frame, netboot, findings);
        return;
    }
    const NetworkMode network = in.settings.nics[index].network;
    choose_bootfile(in, is_served_by_us(network), netboot, findings);
    const bool to_ipxe = in.settings.ipxe && takes_part_in_boot(in.settings.nics[index], index);
    if (network == NetworkMode::isolated) {
        serve_on_segment(in, found, netboot, findings);
    } else if (network == NetworkMode::nat) {
        serve_by_tftp_too(in, found, to_ipxe, netboot, findings);
    } else {
        serve_by_http_alone(in, found, netboot, findings);
    }
    if (to_ipxe && found.read && netboot.bootfile && !netboot.is_elsewhere()) {
        check_script(in, *found.read, findings);
    }
    check_bootfile(in, findings);
}

// False where there is nothing to refuse the setting for.
bool refuse(const DecideInput& in, std::string_view flag, std::optional<Fault> fault, Findings& findings) {
    if (!fault) {
        return false;
    }
    fault->what = fmt::format("{}: {}", in.origin(flag), fault->what);
    findings.add(*std::move(fault));
    return true;
}

void take_script(const DecideInput& in, Netboot& netboot, Findings& findings) {
    const std::string& script = *in.settings.script;
    if (is_url(script)) {  // it is the bootfile
        refuse(in, "script", fault_of_url(script), findings);
        return;
    }
    const GivenScriptFacts& found = *in.facts.offered.script;
    if (!found.why_not.empty()) {
        findings.host_fault(fmt::format("{}: no script came from standard input", in.origin("script")),
                            found.why_not, "pipe the script in, or redirect a file");
        return;
    }
    if (found.file && !check_offered(in, "script", script, *found.file, findings)) {
        return;
    }
    netboot.http = true;
    netboot.bootfile = found.read.name;
    netboot.files = found.beside;
    netboot.files.push_back(
        {found.read.name, found.file ? found.file->real : fs::path{}, found.file ? "" : found.read.bytes});
    if (!found.outside_links.empty()) {
        findings.note(
            fmt::format("{} leads out of the script's folder, and is not served (copy or mount what "
                        "the link leads to)",
                        words_for(found.outside_links)));
    }
    if (!found.not_served.empty()) {
        findings.note(
            fmt::format("not served, though {} names it: {} (--netboot-dir DIR serves all of a folder)",
                        found.read.name, listed(found.not_served, "and")));
    }
    check_script(in, found.read, findings);
}

// A file or a URL, as the script is to name it.
std::string offer(const DecideInput& in, std::string_view flag, const std::string& given,
                  const std::optional<OfferedFile>& file, Netboot& netboot, Findings& findings) {
    if (!file) {
        refuse(in, flag, fault_of_url(given), findings);
        return given;
    }
    if (!check_offered(in, flag, given, *file, findings)) {
        return {};
    }
    std::string name = served_name(fs::path{given}.filename().string(), netboot.files);
    netboot.files.push_back({name, file->real});
    return name;
}

// The kernel's EFI stub puts its RAM disks together as they are, and an archive that does not begin at a
// multiple of four is passed over (Linux init/initramfs.c). iPXE since 2021 does it for a stub that asks for
// it (Linux 5.8 and later), and pads.
void check_alignment(const DecideInput& in, Findings& findings) {
    const OfferedFacts& offered = in.facts.offered;
    if (offered.ipxe == ipxescript::Build::y2025) {
        return;
    }
    for (std::size_t i = 0; i + 1 < offered.initrds.size(); ++i) {
        if (offered.initrds[i] && offered.initrds[i]->size % 4 != 0) {
            findings.note(fmt::format(
                "{}: the size of {} is not a multiple of 4: under UEFI the kernel may not find the RAM "
                "disk after it (truncate -s %4 FILE pads it with zeros)",
                in.origin("initrd"), in.settings.initrds[i]));
        }
    }
}

void take_kernel(const DecideInput& in, const NicFrame& frame, Netboot& netboot, Findings& findings) {
    const Settings& settings = in.settings;
    const OfferedFacts& offered = in.facts.offered;
    KernelBoot boot{offer(in, "kernel", *settings.kernel, offered.kernel, netboot, findings), {}, {}, false};
    for (std::size_t i = 0; i < settings.initrds.size(); ++i) {
        boot.initrds.push_back(
            offer(in, "initrd", settings.initrds[i], offered.initrds[i], netboot, findings));
    }
    const bool serial = frame.arch == Arch::x86_64;  // elsewhere the firmware's tables name the console
    boot.append = settings.append.value_or(serial ? "console=ttyS0" : "");
    boot.uefi = frame.firmware != FirmwareMode::legacy;
    if (boot.uefi) {
        check_alignment(in, findings);
    }
    if (!refuse(in, "append", fault_of_append(boot.append), findings) && serial &&
        boot.append.find("console=") == std::string::npos) {
        findings.note(
            fmt::format("{} names no console: the kernel says nothing where vm-launch can see it "
                        "(add console=ttyS0)",
                        in.origin("append")));
    }
    const std::string name = served_name("kernel.ipxe", netboot.files);
    netboot.files.push_back({name, {}, kernel_script(boot)});
    netboot.http = true;
    netboot.bootfile = name;
}

// Nothing is said of what DHCP is to name.
void check_unnamed(const DecideInput& in, bool boots, NetworkMode network, Findings& findings) {
    const std::optional<std::string>& bootfile = in.settings.bootfile;
    if (bootfile && !is_url(*bootfile)) {
        findings.settings_fault(
            fmt::format("{}: there is no folder to serve '{}' from", in.origin("bootfile"), *bootfile), "",
            "add --netboot-dir DIR (NETBOOT_DIR), or give a URL");
    } else if (in.settings.ipxe && !bootfile && boots && is_served_by_us(network)) {
        findings.note(
            fmt::format("{} own DHCP will name nothing to boot: give --script FILE, --netboot-dir DIR with a "
                        "boot.ipxe in it, or --bootfile URL",
                        network == NetworkMode::nat ? "QEMU's" : "vm-launch's"));
    }
}

}  // namespace

bool check_offered(const DecideInput& in, std::string_view flag, const fs::path& path,
                   const OfferedFile& file, Findings& findings) {
    if (!check_path(in, {flag, path, file.path}, findings)) {
        return false;
    }
    if (file.size == 0 && flag != "script") {
        findings.host_fault(fmt::format("{}: {} is empty", in.origin(flag), path.string()), "",
                            "name the right file");
        return false;
    }
    if (file.http_error != 0) {
        findings.host_fault(
            fmt::format("{}: {} cannot be served", in.origin(flag), path.string()),
            fmt::format("vm-launch serves without privileges: {}", errno_text(file.http_error)),
            fmt::format("chmod a+r {} (and a+x its folder)", path.string()));
    }
    return file.http_error == 0;
}

Netboot decide_netboot(const DecideInput& in, const NicFrame& frame, std::size_t index, Findings& findings) {
    Netboot netboot;
    const Settings& settings = in.settings;
    const bool boots = takes_part_in_boot(settings.nics[index], index);
    netboot.bootfile = settings.script && is_url(*settings.script) ? settings.script : settings.bootfile;
    if (settings.netboot_dir) {
        serve_folder(in, frame, index, netboot, findings);
    }
    if (settings.script) {
        take_script(in, netboot, findings);
    } else if (settings.kernel) {
        take_kernel(in, frame, netboot, findings);
    } else if (!settings.netboot_dir) {
        check_unnamed(in, boots, settings.nics[index].network, findings);
    }
    const bool can_boot = !boots_by_firmware(settings, index, frame.firmware) ||
                          give_program_to_firmware(in, frame, netboot, findings);
    load_undionly_first(in, frame, netboot, findings);
    name_by_script(in, netboot, findings);
    if (settings.nics[index].network == NetworkMode::bridge) {
        decide_offer(in, frame, index, netboot, findings);
    }
    netboot.by_proxy = names_by_proxy(in, frame, index, findings);
    decide_dhcp_options(in, index, can_boot, netboot, findings);
    return netboot;
}

}  // namespace vml
