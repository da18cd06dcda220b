// What happens to a running VM is decided here: (state, event) → (state, actions). Pure; the event loop
// carries the actions out and brings the events.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "launcher/boot_observer.h"
#include "launcher/guest_power.h"
#include "launcher/plan.h"
#include "launcher/qemu_words.h"

namespace vml::supervise {

enum class Phase {
    starting,       // QEMU builds the machine
    checking,       // it answers; the plan's checks are under way
    waiting,        // the guest must wait until its bridge ports forward
    running,        // the guest runs
    asking,         // its end is wanted: does an operating system run?
    powering_down,  // the guest was told to end by its power button
    quitting,       // QEMU was told to quit
    killing,        // QEMU was killed; only its end is awaited
    ended,
};

// One timer each: starting one again replaces it.
enum class Deadline { start, ports, boot, silence, ask, powerdown_again, grace, resume, quit, kill };

// A guest that stands still although nobody here told QEMU to stop it.
struct Pause {
    std::string state;      // QEMU's run state: "io-error", "paused", "prelaunch"; empty: the guest runs
    bool no_space = false;  // the latest error of a disk was that the host has no room for it
    bool trying = false;    // it was told to go on, and whether it does is not known yet
    bool asked = false;     // by the user, who waits for an answer

    bool operator==(const Pause&) const = default;
};

// --boot-once. The order changes once an operating system (an installer) is seen, so that a reset before
// that, of a script, the firmware or the user, is the first boot once more.
struct FirstBoot {
    bool over = false;           // after a reset of the guest's own, or its power-off
    bool system_ran = false;     // it was seen, or something has written to a disk
    bool order_changed = false;  // QEMU has the later order, for the next reset
    bool by_guest = false;       // the latest reset was the guest's own

    bool operator==(const FirstBoot&) const = default;
};

struct State {
    Phase phase = Phase::starting;
    std::size_t checks_left = 0;
    std::size_t ports_left = 0;      // bridge ports that do not forward yet
    bool os_runs = false;            // from the boot's progress: does the power button mean something?
    std::optional<int> stop_signal;  // the first signal that asked for a stop
    std::string stop_words;          // how that is told: "SIGTERM", "`vm-launch stop`"
    std::string end_words;           // why the run is over, where nobody asked for a stop
    bool until_reached = false;      // the run has what it waited for
    FirstBoot first_boot;
    bool forced = false;       // the guest had to be ended while an operating system ran, or might have
    Pause pause;               // the guest stands still
    bool reset_asked = false;  // by `vm-launch reset`, and not carried out yet
    std::optional<std::string>
        shutdown_reason;         // of QMP's SHUTDOWN event (QEMU qapi/run-state.json, ShutdownCause)
    std::optional<Fault> fault;  // the cause of the end, once one is known
    std::string seen_last;       // the latest sign of the boot

    bool operator==(const State&) const = default;
};

struct Config {
    std::vector<PropertyCheck> checks;
    std::vector<PortWait> ports;
    std::chrono::seconds stop_timeout{8};
    std::string until;         // what the run waits for, in the user's words; empty: nothing
    bool until_stage = false;  // it is a stage of the boot
    std::optional<std::chrono::seconds>
        boot_timeout;              // for what the run waits for, else for an operating system
    bool keeps_disks = false;      // what the guest writes to its disks outlives the run
    bool resumes = true;           // a guest that stands still for want of room goes on once there is some
    bool ends_on_failure = false;  // nobody is there to do something about a boot that failed
    bool kvm = false;
    std::string program;  // QEMU's, for messages
    std::vector<BootindexChange> after_first_boot = {};
    bool remember_first_boot = false;         // it is kept that the first boot is over
    std::vector<NamedDescriptor> files = {};  // QEMU's, for messages
};

// Events
struct QmpReady {};
struct CheckAnswered {
    std::size_t index = 0;
    std::optional<std::string> value;  // none: the property could not be read
};
struct PortForwards {};  // one more of Config::ports
struct ContinueRefused {
    std::string why;
};
struct BootOrderChanged {};  // QEMU has carried SendBootOrder out
struct BootOrderRefused {
    std::string why;
};
// After a reset: what the guest has done to its disks before.
struct WritesTold {
    bool wrote = false;
};
struct QemuEvent {
    std::string name;
    std::string reason;     // SHUTDOWN's reason, GUEST_PANICKED's action; else empty
    bool no_space = false;  // of BLOCK_IO_ERROR
};
struct StatusAnswered {
    std::string status;  // QEMU qapi/run-state.json, RunState
};
// The answer to AskPower.
struct PowerTold {
    GuestSigns signs;
};
struct ResumeAsked {};  // by `vm-launch resume`
struct ResumeRefused {
    std::string why;
};
struct ResetAsked {};  // by `vm-launch reset`
struct OsSeen {
    bool runs = false;   // a kernel was started, so that the power button means something
    bool up = false;     // and its system runs
    std::string last{};  // the latest sign of the boot
};
struct BootEnded {
    BootEnd end = BootEnd::dead_end;
    Fault verdict;  // of a boot that failed
};
// The answer to AskVerdict.
struct VerdictGiven {
    Fault verdict;
};
// Something was started that may have crashed: wait whether it gives a sign of life.
struct WaitForSilence {};
struct SignalReceived {
    int number = 0;  // SIGQUIT asks for the end at once
};
struct StopAsked {};  // by `vm-launch stop`
struct DeadlinePassed {
    Deadline deadline = Deadline::start;
};
struct QmpClosed {};
struct ChildEnded {
    int wait_status = 0;                  // as waitpid gives it
    std::vector<std::string> last_words;  // QEMU's last lines on standard error
};
using Event = std::variant<QmpReady, CheckAnswered, PortForwards, ContinueRefused, BootOrderChanged,
                           BootOrderRefused, WritesTold, QemuEvent, StatusAnswered, PowerTold, ResumeAsked,
                           ResumeRefused, ResetAsked, OsSeen, BootEnded, VerdictGiven, WaitForSilence,
                           SignalReceived, StopAsked, DeadlinePassed, QmpClosed, ChildEnded>;

// Actions
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
                 CancelDeadline, Say, AskVerdict, AskPower, TellResumed, TellSilence, Finish>;
using Actions = std::vector<Action>;

struct Step {
    State state;
    Actions actions;
};

[[nodiscard]] Step start(const Config& config);
[[nodiscard]] Step step(const Config& config, State state, const Event& event);

}  // namespace vml::supervise
