// The event loop around a running VM: brings signals, QMP, console and the child's end to the supervisor, and
// carries out what it decides.
#pragma once

#include <chrono>
#include <optional>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "launcher/console/console.h"
#include "launcher/plan/plan.h"
#include "launcher/run/boot_story.h"
#include "launcher/settings/settings.h"
#include "launcher/start/apply.h"

namespace vml {

struct RunOptions {
    ConsoleMode console = ConsoleMode::shown;
    std::chrono::seconds stop_timeout{8};
    LogLevel log_level = LogLevel::info;
    LogFormat log_format = LogFormat::text;
    std::optional<std::chrono::seconds> boot_timeout{};
    bool kvm = false;
    bool console_raw = false;
    bool keep_net_admin = false;                            // links must be deleted at the end
    nlohmann::json description = nlohmann::json::object();  // what the VM is, for `status`
    bool keeps_disks = false;  // what the guest writes to a disk outlives the run
    bool resumes = true;       // a guest that is paused by a full disk goes on once there is room
};

// Blocks the signals that have a meaning here until the loop is there to catch them, so that none that comes
// while QEMU is started is lost or ends us half-way; ignores SIGPIPE. Call before apply.
void hold_signals();

// Gives up the privileges that only the start needed, supervises the VM to its end, reaps it, puts the
// terminal back, reports, and gives the process's exit code.
[[nodiscard]] int supervise_vm(const Plan& plan, RunningVm vm, const RunOptions& options, BootStory story);

}  // namespace vml
