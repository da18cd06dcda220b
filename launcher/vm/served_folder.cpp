#include "launcher/vm/served_folder.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace vml {

namespace fs = std::filesystem;

void check_folder_for_user(const DecideInput& in, const std::filesystem::path& folder, int user_error,
                           Netboot& netboot, Findings& findings) {
    if (user_error == 0) {
        return;
    }
    const std::string hint = fmt::format(
        "chmod -R a+rX {} (and a+x the folders above it), or --run-as USER who may read it", folder.string());
    if (netboot.http) {
        netboot.tftp.reset();
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

void serve_linked_bootfile(std::vector<OutsideLink>& links, Netboot& netboot) {
    if (!netboot.bootfile || netboot.is_elsewhere()) {
        return;
    }
    const std::string name = fs::path{*netboot.bootfile}.relative_path().string();
    const auto is_bootfile = [&](const OutsideLink& link) { return link.exists && link.name == name; };
    const auto found = std::find_if(links.begin(), links.end(), is_bootfile);
    if (found != links.end()) {
        netboot.files.push_back({fs::path{name}.lexically_normal().string(), found->target});
        links.erase(found);
    }
}

bool all_links_stay_inside(const DecideInput& in, const std::vector<OutsideLink>& links, bool by_http,
                           Findings& findings) {
    const auto [to_files, to_nothing] = parted_links(links);
    if (!to_nothing.empty()) {
        findings.note(fmt::format("{} is a link to where nothing is{}", words_for(to_nothing),
                                  in.facts.in_container ? " in this container" : ""));
    }
    if (to_files.empty()) {
        return true;
    }
    findings.note(fmt::format(
        "{} leads out of the folder, where HTTP does not follow{} (copy or mount what the link leads to)",
        words_for(to_files), by_http ? "" : ": all of it is served by TFTP alone, which is slower"));
    return by_http;
}

bool can_serve_by_http(const DecideInput& in, const NetbootFacts& found, Findings& findings) {
    const fs::path& folder = *in.settings.netboot_dir;
    if (found.http_error != 0) {
        findings.host_fault(
            fmt::format("{}: {} cannot be served", in.origin("netboot-dir"), folder.string()),
            fmt::format("vm-launch serves without privileges: {}", errno_text(found.http_error)),
            fmt::format("chmod -R a+rX {} (and a+x the folders above it)", folder.string()));
    }
    return found.http_error == 0;
}

void serve_by_tftp(const DecideInput& in, const NetbootFacts& found, Netboot& netboot) {
    netboot.tftp = in.absolute(*in.settings.netboot_dir);
    for (const OutsideLink& link : parted_links(found.outside_links).first) {
        netboot.linked.push_back(link.target);
    }
}

void check_bootfile(const DecideInput& in, Findings& findings) {
    if (const std::optional<PathFacts>& found = in.facts.netboot->bootfile) {
        const fs::path file = *in.settings.netboot_dir / fs::path{*in.settings.bootfile}.relative_path();
        std::ignore = check_path(in, {"bootfile", file, *found}, findings);
    }
}

}  // namespace vml
