#include "launcher/supervisor.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/wait.h>

namespace vml::supervise {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A machine is built in well under a second; a minute is a host in deep trouble.
constexpr seconds start_limit{60};
// A power button pressed before the guest's driver listens is lost (measured), so it is pressed again.
constexpr seconds powerdown_interval{2};
constexpr seconds silence_limit{static_cast<int>(BootObserver::silence_s)};
// Beyond what the bridge's forward delay says.
constexpr seconds port_grace{10};
// QEMU leaves within milliseconds of `quit`, unless its disks hang.
constexpr seconds quit_limit{3};
constexpr seconds forced_quit_limit{1};

std::string signal_name(int number) {
    const char* name = ::sigabbrev_np(number);
    return name == nullptr ? fmt::format("signal {}", number) : fmt::format("SIG{}", name);
}

Fault internal_error(const Config& config) {
    return {"QEMU stopped the guest with an internal error",
            config.kvm ? "KVM could not go on: it cannot run this firmware here (a nested KVM?)"
                       : "QEMU's status is internal-error",
            config.kvm ? "emulate: --accel tcg" : "look at QEMU's messages: --log-level debug",
            ExitCode::qemu};
}

std::string end_of_process(int wait_status) {
    if (WIFSIGNALED(wait_status)) {
        return fmt::format("killed by {}", signal_name(WTERMSIG(wait_status)));
    }
    return fmt::format("exit status {}", WEXITSTATUS(wait_status));
}

std::string why_of(const ChildEnded& end) {
    std::string why = end_of_process(end.wait_status);
    for (const std::string& line : end.last_words) {
        why += "\n        " + line;
    }
    return why;
}

constexpr int killed_by_seccomp = SIGSYS;

Fault died(const Config& config, const State& state, const ChildEnded& end) {
    if (auto explained = explain_qemu_words(end.last_words, config.files)) {
        return *explained;
    }
    const bool early = state.phase < Phase::running;
    std::string hint =
        early ? "`vm-launch plan` shows what was asked of it" : "see QEMU's messages above, if any";
    if (WIFSIGNALED(end.wait_status) && WTERMSIG(end.wait_status) == SIGKILL) {
        hint = "was it the host's out-of-memory killer? See dmesg; --memory makes the guest smaller";
    } else if (WIFSIGNALED(end.wait_status) && WTERMSIG(end.wait_status) == killed_by_seccomp) {
        hint = "QEMU's sandbox forbids something that your own QEMU arguments need";
    }
    return {fmt::format("{} {}", config.program, early ? "could not start" : "died"), why_of(end),
            std::move(hint), ExitCode::qemu};
}

Finish finished(ExitCode code, std::string summary) {
    return {static_cast<int>(code), std::nullopt, std::move(summary)};
}

Finish failed(Fault fault) {
    const int code = static_cast<int>(fault.code);
    return {code, std::move(fault), ""};
}

// The end when a stop was asked for by a signal.
Finish stopped(const State& state) {
    constexpr int shell_signal_base = 128;
    if (state.forced) {
        return {shell_signal_base + *state.stop_signal, std::nullopt,
                fmt::format("forced to stop after {}", state.stop_words)};
    }
    return finished(ExitCode::ok, fmt::format("stopped by {}", state.stop_words));
}

Finish by_shutdown_reason(const Config& config, const State& state, const ChildEnded& end) {
    const std::string& reason = *state.shutdown_reason;
    if (reason == "guest-shutdown") {
        if (!config.until.empty()) {
            return failed({fmt::format("the guest powered off before it came to {}", config.until),
                           state.seen_last, "the console has its last words", ExitCode::boot_timeout});
        }
        return finished(ExitCode::ok, "the guest powered off");
    }
    if (reason == "guest-reset") {  // with -no-reboot among the user's own arguments
        return finished(ExitCode::ok, "the guest rebooted, and QEMU was told not to");
    }
    if (reason == "guest-panic") {
        return failed({"the guest panicked", "QEMU's SHUTDOWN event says guest-panic",
                       "the serial console has the guest's own words", ExitCode::guest_panicked});
    }
    if (reason == "host-qmp-quit") {
        return finished(ExitCode::ok, "QEMU was told to quit");
    }
    if (reason == "host-signal") {
        return failed({fmt::format("{} was ended from outside", config.program),
                       "it got a signal that was not vm-launch's", "stop the VM through vm-launch",
                       ExitCode::qemu});
    }
    return failed({fmt::format("{} ended", config.program),
                   fmt::format("its reason: {}; {}", reason, why_of(end)), "", ExitCode::qemu});
}

// One event after another; the handlers are the table of what follows from what.
class Stepper {
  public:
    Stepper(const Config& config, State state) : config_{config}, state_{std::move(state)} {}

    Step result() { return {std::move(state_), std::move(actions_)}; }

    void begin() {
        state_.checks_left = config_.checks.size();
        state_.ports_left = config_.ports.size();
        act(StartDeadline{Deadline::start, start_limit});
    }

    void operator()(const QmpReady& /*event*/) {
        if (state_.phase != Phase::starting) {
            return;
        }
        state_.phase = Phase::checking;
        if (config_.checks.empty()) {
            run_or_wait();
        } else {
            act(SendChecks{});
        }
    }

    void operator()(const CheckAnswered& answer) {
        if (state_.phase != Phase::checking) {
            return;
        }
        const PropertyCheck& check = config_.checks.at(answer.index);
        if (!answer.value || *answer.value != check.expected) {
            state_.fault =
                Fault{check.meaning,
                      fmt::format("{} of {} is {}, not {}", check.property, check.path,
                                  answer.value.value_or("unknown"), check.expected),
                      "your own QEMU arguments may change the NIC; `vm-launch plan` shows what was planned",
                      ExitCode::rom_never_ran};
            quit();
        } else if (--state_.checks_left == 0) {
            run_or_wait();
        }
    }

    void operator()(const PortForwards& /*event*/) {
        if (state_.ports_left > 0 && --state_.ports_left == 0 && state_.phase == Phase::waiting) {
            act(CancelDeadline{Deadline::ports});
            act(Say{LogLevel::info, "the bridge forwards: the guest runs now"});
            run_guest();
        }
    }

    void operator()(const ContinueRefused& refusal) {
        state_.fault = Fault{"QEMU would not start the guest", refusal.why, "", ExitCode::qemu};
        quit();
    }

    void operator()(const BootOrderRefused& refusal) {
        act(Say{LogLevel::warning,
                fmt::format("the boot order cannot be changed for the next reset: {}", refusal.why)});
    }

    void operator()(const QemuEvent& event) {
        if (event.name == "RESET" && event.reason == "guest-reset") {
            first_boot_is_over();
        } else if (event.name == "SHUTDOWN") {
            state_.shutdown_reason = event.reason;
            if (event.reason == "guest-shutdown" || event.reason == "guest-reset") {
                first_boot_is_over();
            }
        } else if (event.name == "STOP" && state_.phase == Phase::running) {
            act(SendCommand{Command::query_status});  // nobody here asked for it
        }
    }

    void operator()(const StatusAnswered& answer) {
        if (state_.phase != Phase::running) {
            return;
        }
        if (answer.status == "internal-error") {
            state_.fault = internal_error(config_);
            quit();
        } else if (answer.status == "io-error") {
            act(Say{LogLevel::warning,
                    "the guest is paused: a disk could not be written; is the host's file system full?"});
        } else if (answer.status == "paused") {
            act(Say{LogLevel::info, "the guest is paused"});
        }
    }

    void operator()(const BootEnded& event) {
        if (state_.phase != Phase::running) {
            return;
        }
        switch (event.end) {
            case BootEnd::until_reached:
                state_.until_reached = true;
                quit();
                break;
            case BootEnd::dead_end:
                end_or_tell(config_.ends_on_failure, event.verdict);
                break;
            case BootEnd::fell_through:
                end_or_tell(config_.until_stage, event.verdict);
                break;
            case BootEnd::reboot_loop:
            case BootEnd::chain_loop:
                end_or_tell(true, event.verdict);
                break;
        }
    }

    void operator()(const VerdictGiven& event) {
        if (state_.phase != Phase::running) {
            return;
        }
        state_.fault = event.verdict;
        state_.fault->code = ExitCode::boot_timeout;
        state_.fault->why = fmt::format(
            "not at {} within {} s{}{}", config_.until.empty() ? "os" : config_.until,
            config_.boot_timeout->count(), event.verdict.why.empty() ? "" : "; ", event.verdict.why);
        quit();
    }

    void operator()(const WaitForSilence& /*event*/) {
        // The user's own limit is the word that counts.
        const bool limited = config_.boot_timeout && config_.boot_timeout->count() > 0;
        if (config_.until_stage && state_.phase == Phase::running && !limited) {
            act(StartDeadline{Deadline::silence, silence_limit});
        }
    }

    void operator()(const OsSeen& event) {
        state_.os_runs = event.runs;
        state_.seen_last = event.last;
        if (event.up && config_.until.empty()) {
            act(CancelDeadline{Deadline::boot});
        }
        if (!event.runs && state_.phase == Phase::powering_down) {
            act(Say{LogLevel::info,
                    "the guest rebooted instead: stopping (no operating system runs any more)"});
            quit();
        }
    }

    void operator()(const SignalReceived& signal) { stop(signal.number, signal_name(signal.number)); }

    void operator()(const StopAsked& /*event*/) { stop(SIGTERM, "`vm-launch stop`"); }

    void operator()(const DeadlinePassed& passed) {
        switch (passed.deadline) {
            case Deadline::start:
                start_timed_out();
                break;
            case Deadline::ports:
                if (state_.phase == Phase::waiting) {
                    act(Say{LogLevel::warning,
                            "the bridge still does not forward: the guest runs all the same, and its "
                            "DHCP requests may be lost"});
                    run_guest();
                }
                break;
            case Deadline::boot:
                if (state_.phase == Phase::running) {
                    act(AskVerdict{});
                }
                break;
            case Deadline::silence:
                if (state_.phase == Phase::running) {
                    act(TellSilence{});
                }
                break;
            case Deadline::powerdown_again:
                if (state_.phase == Phase::powering_down) {
                    press_power_button();
                }
                break;
            case Deadline::grace:
                if (state_.phase == Phase::powering_down) {
                    act(Say{LogLevel::warning, "the guest did not power off in time: forcing the stop"});
                    state_.forced = true;
                    quit();
                }
                break;
            case Deadline::quit:
            case Deadline::kill:
                kill();
                break;
        }
    }

    void operator()(const QmpClosed& /*event*/) {
        // QEMU closes its end by dying, and its end is then reported at once.
        if (state_.phase != Phase::ended && state_.phase != Phase::killing) {
            act(StartDeadline{Deadline::kill, quit_limit});
        }
    }

    void operator()(const ChildEnded& end) {
        act(outcome(end));
        state_.phase = Phase::ended;
    }

  private:
    void stop(int signal, const std::string& asked_by) {
        if (state_.phase == Phase::ended) {
            return;
        }
        if (state_.stop_signal) {
            act(Say{LogLevel::info, fmt::format("{} again: forcing the stop", asked_by)});
            force();
            return;
        }
        state_.stop_signal = signal;
        state_.stop_words = asked_by;
        if (state_.phase == Phase::starting) {
            kill();  // no guest has run: nothing can be lost
        } else if (state_.os_runs && state_.phase == Phase::running) {
            signal == SIGQUIT ? cut_off() : power_down(asked_by);
        } else {
            act(Say{LogLevel::info, fmt::format("{}: stopping (no operating system runs yet)", asked_by)});
            quit();
        }
    }

    void power_down(const std::string& asked_by) {
        act(Say{LogLevel::info, fmt::format("{}: pressing the guest's power button; it has {} s", asked_by,
                                            config_.stop_timeout.count())});
        state_.phase = Phase::powering_down;
        act(StartDeadline{Deadline::grace, config_.stop_timeout});
        press_power_button();
    }

    void cut_off() {
        act(Say{LogLevel::warning, "SIGQUIT: ending the guest at once, without its power button"});
        state_.forced = true;
        quit();
    }

    template <typename Any>
    void act(Any action) {
        actions_.emplace_back(std::move(action));
    }

    // The guest's first DHCP requests must not meet a port that does not forward yet.
    void run_or_wait() {
        act(CancelDeadline{Deadline::start});
        if (state_.ports_left == 0) {
            run_guest();
            return;
        }
        milliseconds longest{0};
        for (const PortWait& port : config_.ports) {
            longest = std::max(longest, port.expected);
        }
        state_.phase = Phase::waiting;
        act(Say{LogLevel::info,
                fmt::format(
                    "waiting until {} forwards, about {} s (its STP's forward delay); the guest is paused",
                    config_.ports.front().bridge, (longest.count() + 999) / 1000)});
        act(StartDeadline{Deadline::ports, longest + port_grace});
    }

    void end_or_tell(bool end, const Fault& verdict) {
        if (end) {
            state_.fault = verdict;
            quit();
        } else {
            act(Say{LogLevel::warning, one_line(verdict)});
        }
    }

    // The firmware has the first boot's order already; what is said now is for the next reset, however soon
    // it comes.
    void run_guest() {
        state_.phase = Phase::running;
        if (!config_.after_first_boot.empty()) {
            act(SendBootOrder{});
        }
        act(SendCommand{Command::cont});
        if (config_.boot_timeout && config_.boot_timeout->count() > 0) {
            act(StartDeadline{Deadline::boot, *config_.boot_timeout});
        }
    }

    void first_boot_is_over() {
        if (std::exchange(state_.first_boot, false) && config_.remember_first_boot) {
            act(RememberFirstBoot{});
        }
    }

    void press_power_button() {
        act(SendCommand{Command::system_powerdown});
        act(StartDeadline{Deadline::powerdown_again, powerdown_interval});
    }

    void quit() {
        act(CancelDeadline{Deadline::start});
        act(SendCommand{Command::quit});
        act(StartDeadline{Deadline::quit, state_.forced ? forced_quit_limit : quit_limit});
        state_.phase = Phase::quitting;
    }

    void kill() {
        state_.forced = state_.forced || state_.phase != Phase::starting;
        act(KillQemu{SIGKILL});
        state_.phase = Phase::killing;
    }

    // A second signal: an operating system that runs is cut off now.
    void force() {
        if (state_.phase == Phase::powering_down) {
            state_.forced = true;
            quit();
        } else if (state_.phase != Phase::killing) {
            kill();
        }
    }

    void start_timed_out() {
        if (state_.phase > Phase::checking) {
            return;  // the answer came while the deadline was on its way
        }
        state_.fault = Fault{fmt::format("{} does not answer", config_.program),
                             fmt::format("no reply over QMP within {} s", start_limit.count()),
                             "is the host overloaded, or out of memory?", ExitCode::qemu};
        kill();
    }

    [[nodiscard]] Finish outcome(const ChildEnded& end) const {
        if (state_.fault) {
            return failed(*state_.fault);
        }
        if (state_.stop_signal) {
            return stopped(state_);
        }
        if (state_.until_reached) {
            return finished(ExitCode::ok, fmt::format("the guest came to {}", config_.until));
        }
        if (state_.shutdown_reason) {
            return by_shutdown_reason(config_, state_, end);
        }
        return failed(died(config_, state_, end));
    }

    const Config& config_;
    State state_;
    Actions actions_;
};

}  // namespace

Step start(const Config& config) {
    Stepper stepper{config, State{}};
    stepper.begin();
    return stepper.result();
}

Step step(const Config& config, State state, const Event& event) {
    Stepper stepper{config, std::move(state)};
    std::visit(stepper, event);
    return stepper.result();
}

}  // namespace vml::supervise
