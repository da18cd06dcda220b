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

std::optional<std::filesystem::path> decide_state_folder(const DecideInput& in, const std::string& vm_name,
                                                         Findings& findings) {
    const std::optional<DataFacts>& data = in.facts.data;
    if (!in.settings.persist.value_or(data.has_value())) {
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
    if (!data->others.empty()) {
        findings.note(fmt::format("{} keeps nothing of {} yet, but of {}: --name says which VM this is",
                                  data->folder.string(), vm_name, listed(data->others, "and")));
    }
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
