// What happens to a running VM is decided here: (state, event) → (state, actions). Pure; the event loop
// carries the actions out and brings the events.
#pragma once

#include "launcher/run/supervisor_actions.h"
#include "launcher/run/supervisor_events.h"
#include "launcher/run/supervisor_state.h"

namespace vml::supervise {

struct Step {
    State state;
    Actions actions;
};

[[nodiscard]] Step start(const Config& config);
[[nodiscard]] Step step(const Config& config, State state, const Event& event);

}  // namespace vml::supervise
