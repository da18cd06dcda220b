#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "launcher/settings/network_options.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/link_kind.h"
#include "launcher/vm/script_check.h"

namespace vml {

namespace {

namespace fs = std::filesystem;

bool is_nat(const NicSettings& nic) {
    return std::holds_alternative<Nat>(net_of(nic));
}

void check_ssh_port(const DecideInput& in, std::uint16_t ssh_port, Findings& findings) {
    const auto& forwards = in.settings.port_forwards;
    const PortForward ssh{ssh_port, 0, PortProtocol::tcp, ""};
    if (std::any_of(forwards.begin(), forwards.end(),
                    [&](const PortForward& forward) { return same_host_port(forward, ssh); })) {
        findings.settings_fault(fmt::format("{} and {} both take host port {}", in.origin("ssh-port"),
                                            in.origin("port-forward"), ssh_port),
                                "", "forward each port of the host once");
    }
}

// TFTP is QEMU's, HTTP vm-launch's own: where all comes by HTTP, the folder may be its owner's alone.
void check_folder_for_user(const DecideInput& in, const fs::path& folder, int user_error, Nat& nat,
                           Findings& findings) {
    if (user_error == 0) {
        return;
    }
    const std::string hint = fmt::format(
        "chmod -R a+rX {} (and a+x the folders above it), or --run-as USER who may read it", folder.string());
    if (nat.http) {
        nat.tftp = false;
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
bool all_links_stay_inside(const DecideInput& in, const NetbootFacts& netboot, Findings& findings) {
    const auto [to_files, to_nothing] = parted_links(netboot.outside_links);
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

void serve_folder(const DecideInput& in, std::size_t index, Nat& nat, Findings& findings) {
    const fs::path& folder = *in.settings.netboot_dir;
    const NetbootFacts& netboot = *in.facts.netboot;
    if (!check_path(in, {"netboot-dir", folder, netboot.folder, PathFacts::Kind::folder}, findings)) {
        return;
    }
    nat.tftp_folder = in.absolute(folder);
    if (!in.settings.bootfile && netboot.has_boot_ipxe) {
        nat.bootfile = "boot.ipxe";
    } else if (!in.settings.bootfile) {
        findings.note(
            fmt::format("{} holds no boot.ipxe and no --bootfile is given: DHCP will name nothing to boot",
                        folder.string()));
    }
    // A loader that is no script may be an old one, which goes on by TFTP from where it came.
    const bool to_ipxe = in.settings.ipxe && takes_part_in_boot(in.settings.nics[index], index);
    nat.http =
        to_ipxe && netboot.script && netboot.http_error == 0 && all_links_stay_inside(in, netboot, findings);
    check_folder_for_user(in, folder, netboot.folder.user_error, nat, findings);
    if (to_ipxe && netboot.script && netboot.http_error != 0) {
        findings.note(fmt::format("{} is not served by HTTP, only by TFTP, which is slower: {}",
                                  folder.string(), errno_text(netboot.http_error)));
    }
    if (to_ipxe && netboot.read) {
        check_script(in, *netboot.read, findings);
    }
    if (netboot.bootfile) {
        const fs::path file = folder / fs::path{*in.settings.bootfile}.relative_path();
        std::ignore = check_path(in, {"bootfile", file, *netboot.bootfile}, findings);
    }
}

void decide_bootfile(const DecideInput& in, std::size_t index, Nat& nat, Findings& findings) {
    const std::optional<std::string>& bootfile = in.settings.bootfile;
    nat.bootfile = bootfile;
    if (in.settings.netboot_dir) {
        serve_folder(in, index, nat, findings);
    } else if (bootfile && bootfile->find("://") == std::string::npos) {
        findings.settings_fault(
            fmt::format("{}: there is no folder to serve '{}' from", in.origin("bootfile"), *bootfile), "",
            "add --netboot-dir DIR (NETBOOT_DIR), or give a URL");
    } else if (in.settings.ipxe && !bootfile && takes_part_in_boot(in.settings.nics[index], index)) {
        findings.note(
            "QEMU's own DHCP will name nothing to boot: give --netboot-dir DIR with a boot.ipxe in it, "
            "or --bootfile URL");
    }
}

}  // namespace

// The folder, the bootfile and the forwards belong to the first NIC of this mode.
Nat decide_nat(const DecideInput& in, std::size_t index, Findings& findings) {
    Nat nat;
    const auto own = in.settings.nics.begin() + static_cast<std::ptrdiff_t>(index);
    if (std::any_of(in.settings.nics.begin(), own, is_nat)) {
        return nat;
    }
    nat.forwards = in.settings.port_forwards;
    if (in.settings.ssh_port) {
        constexpr std::uint16_t ssh = 22;
        nat.forwards.push_back({*in.settings.ssh_port, ssh, PortProtocol::tcp, ""});
        check_ssh_port(in, *in.settings.ssh_port, findings);
    }
    for (PortForward& forward : nat.forwards) {
        if (forward.address.empty()) {
            forward.address = in.listen_address();
        }
    }
    decide_bootfile(in, index, nat, findings);
    return nat;
}

// What only user-mode networking can do, asked for where there is none.
void check_nat_settings(const DecideInput& in, Findings& findings) {
    if (std::any_of(in.settings.nics.begin(), in.settings.nics.end(), is_nat)) {
        return;
    }
    for (const std::string_view flag : {"netboot-dir", "bootfile", "port-forward", "ssh-port"}) {
        if (in.origins.contains(flag)) {
            findings.settings_fault(
                fmt::format("{} needs user-mode networking", in.origin(flag)),
                "on a bridge or a device the guest uses the network's own DHCP, TFTP and addresses",
                "leave it out, or add a NIC: --nic mode=nat");
        }
    }
}

}  // namespace vml
