// How a run ended: QEMU's end and what led to it → exit code, summary, fault. Pure.
#pragma once

#include <string>

#include "launcher/run/supervisor.h"

namespace vml::supervise {

// "SIGTERM"
[[nodiscard]] std::string signal_name(int number);

[[nodiscard]] Finish outcome(const Config& config, const State& state, const ChildEnded& end);

}  // namespace vml::supervise
