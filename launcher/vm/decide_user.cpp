#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "launcher/vm/decide_parts.h"

namespace vml {

std::optional<RunUser> decide_run_user(const DecideInput& in, Accelerator accelerator, Findings& findings) {
    const RunUserFacts& facts = in.facts.run_user;
    const std::optional<std::string>& wanted = in.settings.run_as;
    if (wanted && !facts.user) {
        findings.host_fault(fmt::format("{}: there is no user '{}'", in.origin("run-as"), *wanted), "",
                            "name a user of this host, for example nobody");
    } else if (wanted && !facts.can_change && facts.user->name != facts.own_name) {
        findings.host_fault(fmt::format("{}: only root can run QEMU as somebody else", in.origin("run-as")),
                            fmt::format("vm-launch runs as {}", facts.own_name),
                            "leave it out, or start vm-launch as root");
    }
    std::optional<RunUser> user = facts.can_change ? facts.user : std::nullopt;
    if (user && accelerator != Accelerator::kvm) {
        user->groups.clear();
    }
    return user;
}

namespace {

bool holds_something(const DataFacts& data) {
    const auto holds_data = [](const KeptDiskFacts& disk) { return disk.holds_data; };
    return data.first_boot_done || data.nvram || data.tpm ||
           std::any_of(data.disks.begin(), data.disks.end(), holds_data) ||
           std::any_of(data.extra_disks.begin(), data.extra_disks.end(), holds_data);
}

void note_unused_data(const DecideInput& in, const std::string& vm_name, Findings& findings) {
    const std::optional<DataFacts>& data = in.facts.data;
    if (data && holds_something(*data)) {
        findings.note(fmt::format("{}: what is kept in {} is not used, and nothing of this run is kept",
                                  in.origin("persist"),
                                  (data->folder / data->earlier.value_or(vm_name)).string()));
    }
}

// On a host several VMs share a folder, and each has its first start; a container's folder is mostly one
// VM's.
void note_others(const DecideInput& in, const DataFacts& data, const std::string& vm_name,
                 Findings& findings) {
    if (data.others.empty() || (in.settings.name && !in.facts.in_container)) {
        return;
    }
    const std::string what = fmt::format("{} keeps nothing of {} yet, but of {}", data.folder.string(),
                                         vm_name, listed(data.others, "and"));
    findings.note(
        in.settings.name
            ? fmt::format("{}: a VM with a new name goes on with what it had where its folder there "
                          "is renamed too",
                          what)
            : what + ": --name says which VM this is");
}

}  // namespace

std::optional<std::filesystem::path> decide_state_folder(const DecideInput& in, const std::string& vm_name,
                                                         Findings& findings) {
    const std::optional<DataFacts>& data = in.facts.data;
    if (!in.settings.persist.value_or(data.has_value())) {
        note_unused_data(in, vm_name, findings);
        return std::nullopt;
    }
    if (!data) {
        findings.settings_fault(fmt::format("{}: there is no folder to keep things in", in.origin("persist")),
                                "/data is not mounted, and no other is named",
                                "add --data-dir DIR (DATA_DIR)");
        return std::nullopt;
    }
    if (!check_path(in, {"data-dir", data->folder, data->path, PathFacts::Kind::folder}, findings)) {
        return std::nullopt;
    }
    note_others(in, *data, vm_name, findings);
    if (data->earlier) {
        findings.note(
            fmt::format("{} is used, which an earlier container left under its random name: rename it to {}, "
                        "which is what such a "
                        "VM is called now, or give the VM a name (--name)",
                        (data->folder / *data->earlier).string(), vm_name));
    }
    return in.absolute(data->folder) / data->earlier.value_or(vm_name);
}

}  // namespace vml
