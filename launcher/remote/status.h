// What VMs run and what they may do, read back from the kernel. Reads /proc only: it works for any VM of
// vm-launch that this user can see, whatever vm-launch itself remembers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <sys/types.h>

namespace vml {

// A process's rights as /proc/PID/status shows them (proc(5)).
struct ProcessRights {
    pid_t pid = -1;
    uid_t uid = 0;              // effective
    std::string capabilities;   // CapEff, 16 hexadecimal digits
    bool no_new_privs = false;  // NoNewPrivs
    int seccomp = 0;            // 0 none, 1 strict, 2 filter
    bool own_session = false;   // leads a session of its own

    bool operator==(const ProcessRights&) const = default;
};

struct RunningStatus {
    std::string name;
    double uptime = 0;  // seconds
    ProcessRights qemu;
    ProcessRights launcher;
    std::optional<ProcessRights> files =
        std::nullopt;          // of the process that keeps the VM's files for a vm-launch that is not root
    nlohmann::json told = {};  // by the VM itself, over its control socket; null where it could not be asked

    bool operator==(const RunningStatus&) const = default;
};

// What a VM told of itself, and the process that told it, as the kernel has it: by its words alone it could
// pass for another.
struct Told {
    pid_t launcher = 0;  // 0: in another PID namespace
    nlohmann::json words;
};

// The name of the VM that this argument list starts, if vm-launch made it: "" when it did not. Pure.
[[nodiscard]] std::string vm_name_in(const std::vector<std::string>& argv);

// Fills all of a process's rights but the session from the text of /proc/PID/status. Pure.
[[nodiscard]] ProcessRights parse_process_status(const std::string& text);

// Every VM of vm-launch that runs in this PID namespace, by name.
[[nodiscard]] std::vector<RunningStatus> running_vms();

// The same with what the VMs told of themselves. Pure.
[[nodiscard]] std::vector<RunningStatus> with_told(std::vector<RunningStatus> vms,
                                                   const std::vector<Told>& told);

[[nodiscard]] std::string status_as_text(const std::vector<RunningStatus>& vms);
// A list of objects: name, uptime, qemu, launcher and files (or null), each with pid, uid, capabilities,
// no_new_privs, seccomp, own_session; and what the VM told (docs/control.md). Keys are only ever added.
[[nodiscard]] std::string status_as_json(const std::vector<RunningStatus>& vms);

}  // namespace vml
