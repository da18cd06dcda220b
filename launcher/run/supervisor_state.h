// What the supervisor knows of a run, and what it was told before. Plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "launcher/plan/plan.h"
#include "launcher/run/qemu_stderr.h"

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

}  // namespace vml::supervise
