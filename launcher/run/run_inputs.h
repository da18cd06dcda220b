// What the boot's watch and the report have to know of a machine before it boots. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/fd.h"
#include "bootwatch/report.h"
#include "launcher/plan/plan.h"
#include "launcher/settings/settings.h"
#include "launcher/vm/spec.h"
#include "launcher/watch/boot_watch.h"

namespace vml {

struct RunInputs {
    BootWatchConfig watch;
    boot::ReportHead head;
    OwnedFd events{};       // of --events; none: nobody asked for them
    OwnedFd console_log{};  // of --console-log; likewise
    bool quiet = false;     // --console quiet: the log has none of the guest's own words
    std::chrono::steady_clock::time_point vm_launch_began = std::chrono::steady_clock::now();
};

// What the guest's iPXE is told of what vm-launch serves on a bridge. `http_port`: of its HTTP server.
[[nodiscard]] std::optional<OwnService> own_service(const Plan& plan, std::uint16_t http_port);

// What begins so vm-launch serves to the guest, by HTTP; empty: nothing.
[[nodiscard]] std::string own_url(const Plan& plan, std::uint16_t http_port);

[[nodiscard]] RunInputs run_inputs(const Settings& settings, const VmSpec& spec, const Plan& plan);

}  // namespace vml
