// How a run is to be carried out, beside its plan. Plain values.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "launcher/console/console.h"
#include "launcher/console/terminal.h"
#include "launcher/keeper/vm_files.h"
#include "launcher/plan/plan.h"
#include "launcher/process/lock_down.h"
#include "launcher/run/supervisor.h"
#include "launcher/start/apply.h"
#include "launcher/vm/facts.h"
#include "launcher/watch/boot_observer.h"

namespace vml {

struct RunOptions {
    ConsoleMode console = ConsoleMode::shown;
    std::chrono::seconds stop_timeout{8};
    LogLevel log_level = LogLevel::info;
    LogFormat log_format = LogFormat::text;
    std::optional<std::chrono::seconds> boot_timeout{};
    bool kvm = false;
    ConsoleBytes console_bytes = ConsoleBytes::fitting;
    bool keep_net_admin = false;                            // links must be deleted at the end
    std::optional<RunUser> becomes{};                       // whose rights vm-launch has from then on
    std::vector<std::filesystem::path> reports{};           // the files of --report
    nlohmann::json description = nlohmann::json::object();  // what the VM is, for `status`
    bool keeps_disks = false;   // what the guest writes to a disk outlives the run
    bool resumes = true;        // a guest that is paused by a full disk goes on once there is room
    std::string runtime_dir{};  // $XDG_RUNTIME_DIR
    Log::Wording wording{};     // of what is told
    bool colour = false;        // in what is told, where that is text
    bool status_row = false;    // on standard output, which is a terminal
};

[[nodiscard]] supervise::Config supervisor_config(const Plan& plan, const RunOptions& options,
                                                  const ObserverConfig& observer);

// The description with what only the VM's start could tell.
[[nodiscard]] nlohmann::json described(nlohmann::json description, const RunningVm& vm);

// What vm-launch keeps of its rights once everything is set up.
[[nodiscard]] OwnRights own_rights(const RunOptions& options, const VmFiles& files);

}  // namespace vml
