#include "launcher/run/run_options.h"

#include <filesystem>

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

}  // namespace vml
