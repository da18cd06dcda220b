#include "launcher/supervisor.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/wait.h>

#include "launcher/run_state.h"

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
// QEMU answers within milliseconds, unless its main loop hangs on a disk.
constexpr seconds ask_limit{2};
// A guest that is paused for want of room is told to go on so often. What it could not write is written again
// at once (QEMU hw/block, *_dma_restart_cb), so a guest that runs for that long has got the room.
constexpr seconds resume_interval{2};
constexpr seconds resume_proof{1};

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

    void operator()(const BootOrderChanged& /*event*/) { state_.first_boot.order_changed = true; }

    void operator()(const BootOrderRefused& refusal) {
        state_.first_boot.order_changed = true;  // nothing is to be waited for
        act(Say{LogLevel::warning,
                fmt::format("the boot order cannot be changed for the next reset: {}", refusal.why)});
    }

    void operator()(const QemuEvent& event) {
        if (event.name == "RESET") {
            state_.first_boot.by_guest = event.reason == "guest-reset";
            leave_first_boot();
        } else if (event.name == "SHUTDOWN") {
            state_.shutdown_reason = event.reason;
            if (event.reason == "guest-shutdown" || event.reason == "guest-reset") {
                first_boot_is_over();
            }
        } else if (event.name == "BLOCK_IO_ERROR") {
            state_.pause.no_space = event.no_space;
        } else if (event.name == "STOP" && guest_is_in_use()) {
            act(SendCommand{Command::query_status});  // nobody here asked for it
        } else if (event.name == "RESUME" && !state_.pause.state.empty() && !state_.pause.trying) {
            goes_on();  // somebody else told it to
        }
        if (event.name == "RESET") {
            was_reset();
        }
    }

    // Of a guest that said nothing of an operating system this alone tells that one ran.
    void operator()(const WritesTold& event) {
        if (event.wrote) {
            system_runs();
            leave_first_boot();
        } else if (!state_.first_boot.system_ran && !config_.after_first_boot.empty()) {
            act(Say{LogLevel::info,
                    "no operating system had run: --boot-once counts for this boot, as for the one before"});
        }
    }

    void operator()(const ResetAsked& /*event*/) { state_.reset_asked = guest_is_in_use(); }

    void operator()(const ResumeAsked& /*event*/) {
        if (guest_is_in_use()) {
            state_.pause.asked = true;
            try_to_resume();
        } else {
            act(TellResumed{state_.phase < Phase::running ? "the guest has not been started yet"
                                                          : "the VM is ending"});
        }
    }

    void operator()(const ResumeRefused& refusal) {
        state_.pause.trying = false;
        act(CancelDeadline{Deadline::resume});
        if (std::exchange(state_.pause.asked, false)) {
            act(TellResumed{refusal.why});
        } else {
            act(Say{LogLevel::warning, fmt::format("the guest cannot go on: {}", refusal.why)});
        }
    }

    void operator()(const StatusAnswered& answer) {
        if (!guest_is_in_use()) {
            return;
        }
        const bool was_reset = std::exchange(state_.reset_asked, false);
        if (answer.status == "internal-error") {
            state_.fault = internal_error(config_);
            quit();
        } else if (answer.status == "prelaunch" && was_reset) {
            state_.pause.state = answer.status;  // QEMU does not start a guest that stood still
            try_to_resume();
        } else if (answer.status == "io-error") {
            stands_for_disk();
        } else if (known_pause(answer.status)) {
            state_.pause.state = answer.status;
            act(Say{LogLevel::info, *why_not_running(answer.status)});
        }
    }

    void operator()(const PowerTold& told) {
        if (state_.phase != Phase::asking) {
            return;
        }
        act(CancelDeadline{Deadline::ask});
        state_.pause.state = told.signs.run_state == "running" ? "" : told.signs.run_state;
        if (!state_.stop_signal && !told.signs.wrote()) {
            quit();  // its disks are as they were
        } else {
            end_guest(in_control(told.signs));
        }
    }

    void operator()(const BootEnded& event) {
        if (state_.phase != Phase::running) {
            return;
        }
        switch (event.end) {
            case BootEnd::until_reached:
                state_.until_reached = true;
                end_run(fmt::format("{} was reached", config_.until));
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
        end_run("the time for the boot is over");
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
        if (event.runs) {
            system_runs();
        }
        state_.seen_last = event.last;
        if (event.up && config_.until.empty()) {
            act(CancelDeadline{Deadline::boot});
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
            case Deadline::ask:
                if (state_.phase == Phase::asking) {
                    end_guest(InControl::unknown);
                }
                break;
            case Deadline::resume:
                resume_deadline_passed();
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
        } else if (state_.phase < Phase::running) {
            act(Say{LogLevel::info, fmt::format("{}: stopping (the guest has not been started)", asked_by)});
            quit();
        } else if (state_.phase == Phase::running) {
            state_.os_runs ? end_guest(InControl::system) : ask();
        } else if (signal == SIGQUIT) {
            force();
        } else {
            act(Say{LogLevel::info, fmt::format("{}: the VM is ending already", asked_by)});
        }
    }

    void ask() {
        state_.phase = Phase::asking;
        act(AskPower{});
        act(StartDeadline{Deadline::ask, ask_limit});
    }

    // The run is over, but the guest may be in the middle of something.
    void end_run(std::string why) {
        state_.end_words = std::move(why);
        config_.keeps_disks ? ask() : quit();
    }

    // The guest's power is cut only where that can do no harm, or nothing else helps.
    void end_guest(InControl who) {
        const std::string& asked_by = state_.stop_signal ? state_.stop_words : state_.end_words;
        if (is_past_help(state_.pause.state)) {
            act(Say{LogLevel::warning, fmt::format("{}: {}: ending it without its power button", asked_by,
                                                   *why_not_running(state_.pause.state))});
            state_.forced = state_.pause.state != "shutdown";
            quit();
        } else if (who == InControl::firmware) {
            act(Say{LogLevel::info, fmt::format("{}: stopping (no operating system runs)", asked_by)});
            quit();
        } else if (state_.stop_signal == SIGQUIT) {
            cut_off();
        } else {
            power_down(asked_by);
        }
    }

    void power_down(const std::string& asked_by) {
        act(Say{LogLevel::info, fmt::format("{}: pressing the guest's power button; it has {} s", asked_by,
                                            config_.stop_timeout.count())});
        state_.phase = Phase::powering_down;
        act(StartDeadline{Deadline::grace, config_.stop_timeout});
        if (!state_.pause.state.empty()) {
            try_to_resume();  // who stands still hears nothing
        }
        press_power_button();
    }

    void cut_off() {
        act(Say{LogLevel::warning, "SIGQUIT: ending the guest at once, without its power button"});
        state_.forced = true;
        quit();
    }

    // QEMU runs the guest, and has not been told to quit.
    [[nodiscard]] bool guest_is_in_use() const {
        return state_.phase == Phase::running || state_.phase == Phase::asking ||
               state_.phase == Phase::powering_down;
    }

    void was_reset() {
        if (state_.phase == Phase::powering_down) {
            act(Say{LogLevel::info,
                    "the guest rebooted instead: stopping (no operating system runs any more)"});
            quit();
        } else if (guest_is_in_use() && (state_.reset_asked || !state_.pause.state.empty())) {
            act(SendCommand{Command::query_status});
        }
    }

    // Of the states that QEMU may say on STOP, those that a user can do something about.
    static bool known_pause(const std::string& status) {
        return status != "running" && !remedy_for(status).empty();
    }

    void try_to_resume() {
        state_.pause.trying = true;
        act(SendCommand{Command::resume});
        act(StartDeadline{Deadline::resume, resume_proof});
    }

    void stands_for_disk() {
        const bool is_new = std::exchange(state_.pause.state, "io-error") != "io-error";
        const bool by_itself = state_.pause.no_space && config_.resumes;
        if (std::exchange(state_.pause.trying, false)) {
            act(CancelDeadline{Deadline::resume});
        }
        if (std::exchange(state_.pause.asked, false)) {
            act(TellResumed{"a disk still cannot be written"});
        }
        if (is_new) {
            act(Say{LogLevel::warning,
                    fmt::format("the guest is paused: a disk could not be written{}; {}",
                                state_.pause.no_space ? ", its file system on the host is full" : "",
                                by_itself ? "it goes on by itself once there is room"
                                          : "`vm-launch resume` lets it go on")});
        }
        if (by_itself || state_.phase == Phase::powering_down) {
            act(StartDeadline{Deadline::resume, resume_interval});
        }
    }

    void resume_deadline_passed() {
        if (!guest_is_in_use()) {
            return;
        }
        if (state_.pause.trying) {
            goes_on();
        } else if (!state_.pause.state.empty()) {
            try_to_resume();
        }
    }

    void goes_on() {
        const Pause was = std::exchange(state_.pause, {});
        if (!was.state.empty()) {
            act(Say{LogLevel::info, was.state == "io-error"
                                        ? "the guest goes on: its disk can be written again"
                                        : "the guest goes on"});
        }
        if (was.asked) {
            act(TellResumed{});
        }
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
            // A guest that panicked hears nothing; one that only is not understood may be at work.
            verdict.code == ExitCode::guest_panicked ? quit() : end_run("the run is over");
        } else {
            act(Say{LogLevel::warning, one_line(verdict)});
        }
    }

    void run_guest() {
        state_.phase = Phase::running;
        act(SendCommand{Command::cont});
        if (config_.boot_timeout && config_.boot_timeout->count() > 0) {
            act(StartDeadline{Deadline::boot, *config_.boot_timeout});
        }
    }

    // The firmware keeps the first boot's order; what is said now is for the next reset.
    void system_runs() {
        if (!std::exchange(state_.first_boot.system_ran, true) && !config_.after_first_boot.empty()) {
            act(SendBootOrder{});
        }
    }

    // A reset that came before QEMU had the later order gave the firmware the first boot's once more.
    void leave_first_boot() {
        const FirstBoot& first = state_.first_boot;
        if (first.over || !first.system_ran) {
            return;
        }
        if (!first.order_changed && !config_.after_first_boot.empty()) {
            act(SendCommand{Command::system_reset});
        }
        if (first.by_guest) {
            first_boot_is_over();
        }
    }

    void first_boot_is_over() {
        if (!std::exchange(state_.first_boot.over, true) && config_.remember_first_boot) {
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
        if (state_.phase == Phase::asking || state_.phase == Phase::powering_down) {
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
            return finished(ExitCode::ok, fmt::format("the guest came to {}{}", config_.until,
                                                      state_.forced ? "; it had to be forced to stop" : ""));
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
