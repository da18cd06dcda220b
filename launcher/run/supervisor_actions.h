// What the supervisor wants done. Plain values.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "launcher/run/supervisor_state.h"

namespace vml::supervise {

enum class Command { cont, resume, query_status, system_powerdown, system_reset, quit };
struct SendChecks {
    bool operator==(const SendChecks&) const = default;
};
// Each device's place in the boot order from the next reset on: QEMU hands the order to the firmware anew at
// each reset, and the one that it has now stays as it is (QEMU hw/nvram/fw_cfg.c, fw_cfg_machine_reset).
struct SendBootOrder {
    bool operator==(const SendBootOrder&) const = default;
};
struct RememberFirstBoot {
    bool operator==(const RememberFirstBoot&) const = default;
};
struct SendCommand {
    Command command = Command::cont;
    bool operator==(const SendCommand&) const = default;
};
struct KillQemu {
    int signal = 0;
    bool operator==(const KillQemu&) const = default;
};
struct StartDeadline {
    Deadline deadline = Deadline::start;
    std::chrono::milliseconds after{0};
    bool operator==(const StartDeadline&) const = default;
};
struct CancelDeadline {
    Deadline deadline = Deadline::start;
    bool operator==(const CancelDeadline&) const = default;
};
struct Say {
    LogLevel level = LogLevel::info;
    std::string text;
    bool operator==(const Say&) const = default;
};
// The boot's deadline passed: why is it where it is?
struct AskVerdict {
    bool operator==(const AskVerdict&) const = default;
};
// Programs are told why the boot failed.
struct TellVerdict {
    Fault verdict;
    bool operator==(const TellVerdict&) const = default;
};
// Who has the guest's machine? PowerTold is the answer.
struct AskPower {
    bool operator==(const AskPower&) const = default;
};
// Whoever asked for the guest to go on is told: it does, or why it does not.
struct TellResumed {
    std::string why_not;
    bool operator==(const TellResumed&) const = default;
};
// The silence lasted.
struct TellSilence {
    bool operator==(const TellSilence&) const = default;
};
// The end of the run.
struct Finish {
    int exit_code = 0;
    std::optional<Fault> fault;
    std::string summary;  // one line for a run without fault
    bool operator==(const Finish&) const = default;
};
using Action =
    std::variant<SendChecks, SendBootOrder, RememberFirstBoot, SendCommand, KillQemu, StartDeadline,
                 CancelDeadline, Say, AskVerdict, TellVerdict, AskPower, TellResumed, TellSilence, Finish>;
using Actions = std::vector<Action>;

}  // namespace vml::supervise
