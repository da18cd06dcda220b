// From QEMU's start until the guest runs.
#include <algorithm>

#include <fmt/format.h>

#include "launcher/run/stepping.h"

namespace vml::supervise {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A machine is built in well under a second; a minute is a host in deep trouble.
constexpr seconds start_limit{60};
// Beyond what the bridge's forward delay says.
constexpr seconds port_grace{10};

// The guest's first DHCP requests must not meet a port that does not forward yet.
void run_or_wait(Stepping& stepping) {
    stepping.act(CancelDeadline{Deadline::start});
    if (stepping.state.ports_left == 0) {
        run_guest(stepping);
        return;
    }
    milliseconds longest{0};
    for (const PortWait& port : stepping.config.ports) {
        longest = std::max(longest, port.expected);
    }
    stepping.state.phase = Phase::waiting;
    stepping.act(Say{
        LogLevel::info,
        fmt::format("waiting until {} forwards, about {} s (its STP's forward delay); the guest is paused",
                    stepping.config.ports.front().bridge, (longest.count() + 999) / 1000)});
    stepping.act(StartDeadline{Deadline::ports, longest + port_grace});
}

}  // namespace

void begin(Stepping& stepping) {
    stepping.state.checks_left = stepping.config.checks.size();
    stepping.state.ports_left = stepping.config.ports.size();
    stepping.act(StartDeadline{Deadline::start, start_limit});
}

void on(Stepping& stepping, const QmpReady& /*event*/) {
    if (stepping.state.phase != Phase::starting) {
        return;
    }
    stepping.state.phase = Phase::checking;
    if (stepping.config.checks.empty()) {
        run_or_wait(stepping);
    } else {
        stepping.act(SendChecks{});
    }
}

void on(Stepping& stepping, const CheckAnswered& answer) {
    if (stepping.state.phase != Phase::checking) {
        return;
    }
    const PropertyCheck& check = stepping.config.checks.at(answer.index);
    if (!answer.value || *answer.value != check.expected) {
        stepping.state.fault =
            Fault{check.meaning,
                  fmt::format("{} of {} is {}, not {}", check.property, check.path,
                              answer.value.value_or("unknown"), check.expected),
                  "your own QEMU arguments may change the NIC; `vm-launch plan` shows what was planned",
                  ExitCode::rom_never_ran};
        quit(stepping);
    } else if (--stepping.state.checks_left == 0) {
        run_or_wait(stepping);
    }
}

void on(Stepping& stepping, const PortForwards& /*event*/) {
    if (stepping.state.ports_left > 0 && --stepping.state.ports_left == 0 &&
        stepping.state.phase == Phase::waiting) {
        stepping.act(CancelDeadline{Deadline::ports});
        stepping.act(Say{LogLevel::info, "the bridge forwards: the guest runs now"});
        run_guest(stepping);
    }
}

void on(Stepping& stepping, const ContinueRefused& refusal) {
    stepping.state.fault = Fault{"QEMU would not start the guest", refusal.why, "", ExitCode::qemu};
    quit(stepping);
}

void on(Stepping& stepping, const BootOrderChanged& /*event*/) {
    stepping.state.first_boot.order_changed = true;
}

void on(Stepping& stepping, const BootOrderRefused& refusal) {
    stepping.state.first_boot.order_changed = true;  // nothing is to be waited for
    stepping.act(Say{LogLevel::warning,
                     fmt::format("the boot order cannot be changed for the next reset: {}", refusal.why)});
}

void start_timed_out(Stepping& stepping) {
    if (stepping.state.phase > Phase::checking) {
        return;  // the answer came while the deadline was on its way
    }
    stepping.state.fault = Fault{fmt::format("{} does not answer", stepping.config.program),
                                 fmt::format("no reply over QMP within {} s", start_limit.count()),
                                 "is the host overloaded, or out of memory?", ExitCode::qemu};
    kill(stepping);
}

void run_guest(Stepping& stepping) {
    stepping.state.phase = Phase::running;
    stepping.act(SendCommand{Command::cont});
    if (stepping.config.boot_timeout && stepping.config.boot_timeout->count() > 0) {
        stepping.act(StartDeadline{Deadline::boot, *stepping.config.boot_timeout});
    }
}

}  // namespace vml::supervise
