// What QEMU's run state (QEMU qapi/run-state.json, RunState) means to the guest's user. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vml {

// Why a guest in this state does not run; nothing where it does.
[[nodiscard]] std::optional<std::string> why_not_running(std::string_view run_state);
// What the user may do about it.
[[nodiscard]] std::string remedy_for(std::string_view run_state);
// No button of the machine will bring this guest to power off.
[[nodiscard]] bool is_past_help(std::string_view run_state);

}  // namespace vml
