#include "launcher/run/run_options.h"

#include <filesystem>
#include <utility>

#include <unistd.h>

#include "launcher/process/landlock.h"

namespace vml {

supervise::Config supervisor_config(const Plan& plan, const RunOptions& options,
                                    const ObserverConfig& observer) {
    supervise::Config config;
    config.checks = plan.checks;
    config.ports = plan.port_waits;
    config.stop_timeout = options.stop_timeout;
    config.until = observer.until ? observer.until->text : "";
    config.until_stage = observer.until && observer.until->stage;
    config.boot_timeout = options.boot_timeout;
    // Who sits at the console may want to look around; everybody else is told by the exit code.
    config.ends_on_failure =
        observer.until || options.boot_timeout || options.console != ConsoleMode::attached;
    config.kvm = options.kvm;
    config.keeps_disks = options.keeps_disks;
    config.resumes = options.resumes;
    config.program = plan.program.filename().string();
    config.after_first_boot = plan.after_first_boot;
    config.remember_first_boot = plan.state_folder && !plan.first_boot.empty();
    for (const PlannedFd& fd : plan.fds) {
        const std::filesystem::path& file = fd.kept.empty() ? fd.source : fd.kept;
        if (!file.empty()) {
            config.files.emplace_back(fd.number, file);
        }
    }
    return config;
}

nlohmann::json described(nlohmann::json description, const RunningVm& vm) {
    description.update({{"pid", ::getpid()},
                        {"qemu_pid", vm.pid},
                        {"landlock", vm.landlock},
                        {"own_landlock", landlock_abi()}});
    return description;
}

// What vm-launch itself still opens by name: what the kernel tells of processes and control groups, and the
// local time.
OwnRights own_rights(const RunOptions& options, const VmFiles& files) {
    Confinement reach{.files = files.reach(), .tcp_ports = std::vector<std::uint16_t>{}, .signals = true};
    for (const char* file : {"/proc", "/sys/fs/cgroup", "/etc/localtime"}) {
        reach.files.push_back({file});
    }
    return {options.becomes, options.keep_net_admin, std::move(reach)};
}

}  // namespace vml
