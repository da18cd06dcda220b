#include <tuple>

#include <fmt/format.h>

#include "launcher/vm/boot_sources.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/script_check.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

// TFTP is QEMU's, HTTP vm-launch's own: where all comes by HTTP, the folder may be its owner's alone.
void check_folder_for_user(const DecideInput& in, const fs::path& folder, int user_error, Netboot& netboot,
                           Findings& findings) {
    if (user_error == 0) {
        return;
    }
    const std::string hint = fmt::format(
        "chmod -R a+rX {} (and a+x the folders above it), or --run-as USER who may read it", folder.string());
    if (netboot.http) {
        netboot.tftp = false;
        findings.note(
            fmt::format("{} is served by HTTP alone, not by TFTP: QEMU's user {} cannot read it "
                        "({}); for TFTP: {}",
                        folder.string(), in.facts.run_user.user->name, errno_text(user_error), hint));
        return;
    }
    findings.host_fault(fmt::format("{}: QEMU's user {} cannot read {}", in.origin("netboot-dir"),
                                    in.facts.run_user.user->name, folder.string()),
                        errno_text(user_error), hint);
}

void check_script(const DecideInput& in, const ScriptFacts& script, Findings& findings) {
    ScriptJudgement judged = judge_script(script, in.settings.ipxe_rom.has_value());
    for (std::string& note : judged.notes) {
        findings.note(std::move(note));
    }
    for (Fault& fault : judged.faults) {
        findings.add(std::move(fault));
    }
}

// What HTTP would refuse and TFTP serves must boot as before.
bool all_links_stay_inside(const DecideInput& in, const NetbootFacts& found, Findings& findings) {
    const auto [to_files, to_nothing] = parted_links(found.outside_links);
    if (!to_nothing.empty()) {
        findings.note(fmt::format("{} is a link to where nothing is{}", words_for(to_nothing),
                                  in.facts.in_container ? " in this container" : ""));
    }
    if (!to_files.empty()) {
        findings.note(
            fmt::format("{} leads out of the folder, where HTTP does not follow: all of it is served by TFTP "
                        "alone, which is "
                        "slower (copy or mount what the link leads to)",
                        words_for(to_files)));
    }
    return to_files.empty();
}

void serve_folder(const DecideInput& in, std::size_t index, Netboot& netboot, Findings& findings) {
    const fs::path& folder = *in.settings.netboot_dir;
    const NetbootFacts& found = *in.facts.netboot;
    if (!check_path(in, {"netboot-dir", folder, found.folder, PathFacts::Kind::folder}, findings)) {
        return;
    }
    netboot.folder = in.absolute(folder);
    netboot.tftp = true;
    if (!in.settings.bootfile && found.has_boot_ipxe) {
        netboot.bootfile = "boot.ipxe";
    } else if (!in.settings.bootfile) {
        findings.note(
            fmt::format("{} holds no boot.ipxe and no --bootfile is given: DHCP will name nothing to boot",
                        folder.string()));
    }
    // A loader that is no script may be an old one, which goes on by TFTP from where it came.
    const bool to_ipxe = in.settings.ipxe && takes_part_in_boot(in.settings.nics[index], index);
    netboot.http =
        to_ipxe && found.script && found.http_error == 0 && all_links_stay_inside(in, found, findings);
    check_folder_for_user(in, folder, found.folder.user_error, netboot, findings);
    if (to_ipxe && found.script && found.http_error != 0) {
        findings.note(fmt::format("{} is not served by HTTP, only by TFTP, which is slower: {}",
                                  folder.string(), errno_text(found.http_error)));
    }
    if (to_ipxe && found.read) {
        check_script(in, *found.read, findings);
    }
    if (found.bootfile) {
        const fs::path file = folder / fs::path{*in.settings.bootfile}.relative_path();
        std::ignore = check_path(in, {"bootfile", file, *found.bootfile}, findings);
    }
}

}  // namespace

Netboot decide_netboot(const DecideInput& in, std::size_t index, Findings& findings) {
    Netboot netboot;
    const std::optional<std::string>& bootfile = in.settings.bootfile;
    netboot.bootfile = bootfile;
    if (in.settings.netboot_dir) {
        serve_folder(in, index, netboot, findings);
    } else if (bootfile && bootfile->find("://") == std::string::npos) {
        findings.settings_fault(
            fmt::format("{}: there is no folder to serve '{}' from", in.origin("bootfile"), *bootfile), "",
            "add --netboot-dir DIR (NETBOOT_DIR), or give a URL");
    } else if (in.settings.ipxe && !bootfile && takes_part_in_boot(in.settings.nics[index], index)) {
        findings.note(
            "QEMU's own DHCP will name nothing to boot: give --netboot-dir DIR with a boot.ipxe in it, "
            "or --bootfile URL");
    }
    return netboot;
}

}  // namespace vml
