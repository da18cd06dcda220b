// The end of a run: who asks for it, and how a guest is brought there.
#include <csignal>
#include <utility>

#include <fmt/format.h>

#include "launcher/remote/run_state.h"
#include "launcher/run/outcome.h"
#include "launcher/run/stepping.h"

namespace vml::supervise {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A power button pressed before the guest's driver listens is lost (measured), so it is pressed again.
constexpr seconds powerdown_interval{2};
// QEMU leaves within milliseconds of `quit`, unless its disks hang.
constexpr seconds quit_limit{3};
constexpr seconds forced_quit_limit{1};
// QEMU answers within milliseconds, unless its main loop hangs on a disk.
constexpr seconds ask_limit{2};

void ask(Stepping& stepping) {
    stepping.state.phase = Phase::asking;
    stepping.act(AskPower{});
    stepping.act(StartDeadline{Deadline::ask, ask_limit});
}

// A second signal: an operating system that runs is cut off now.
void force(Stepping& stepping) {
    if (stepping.state.phase == Phase::asking || stepping.state.phase == Phase::powering_down) {
        stepping.state.forced = true;
        quit(stepping);
    } else if (stepping.state.phase != Phase::killing) {
        kill(stepping);
    }
}

void stop(Stepping& stepping, int signal, const std::string& asked_by) {
    if (stepping.state.phase == Phase::ended) {
        return;
    }
    if (stepping.state.stop_signal) {
        stepping.act(Say{LogLevel::info, fmt::format("{} again: forcing the stop", asked_by)});
        force(stepping);
        return;
    }
    stepping.state.stop_signal = signal;
    stepping.state.stop_words = asked_by;
    if (stepping.state.phase == Phase::starting) {
        kill(stepping);  // no guest has run: nothing can be lost
    } else if (stepping.state.phase < Phase::running) {
        stepping.act(
            Say{LogLevel::info, fmt::format("{}: stopping (the guest has not been started)", asked_by)});
        quit(stepping);
    } else if (stepping.state.phase == Phase::running) {
        stepping.state.os_runs ? end_guest(stepping, InControl::system) : ask(stepping);
    } else if (signal == SIGQUIT) {
        force(stepping);
    } else {
        stepping.act(Say{LogLevel::info, fmt::format("{}: the VM is ending already", asked_by)});
    }
}

void power_down(Stepping& stepping, const std::string& asked_by) {
    stepping.act(Say{LogLevel::info, fmt::format("{}: pressing the guest's power button; it has {} s",
                                                 asked_by, stepping.config.stop_timeout.count())});
    stepping.state.phase = Phase::powering_down;
    stepping.act(StartDeadline{Deadline::grace, stepping.config.stop_timeout});
    if (!stepping.state.pause.state.empty()) {
        try_to_resume(stepping);  // who stands still hears nothing
    }
    press_power_button(stepping);
}

void cut_off(Stepping& stepping) {
    stepping.act(Say{LogLevel::warning, "SIGQUIT: ending the guest at once, without its power button"});
    stepping.state.forced = true;
    quit(stepping);
}

}  // namespace

void on(Stepping& stepping, const SignalReceived& signal) {
    stop(stepping, signal.number, signal_name(signal.number));
}

void on(Stepping& stepping, const StopAsked& /*event*/) {
    stop(stepping, SIGTERM, "`vm-launch stop`");
}

void on(Stepping& stepping, const PowerTold& told) {
    if (stepping.state.phase != Phase::asking) {
        return;
    }
    stepping.act(CancelDeadline{Deadline::ask});
    stepping.state.pause.state = told.signs.run_state == "running" ? "" : told.signs.run_state;
    if (!stepping.state.stop_signal && !told.signs.wrote()) {
        quit(stepping);  // its disks are as they were
    } else {
        end_guest(stepping, in_control(told.signs));
    }
}

void on(Stepping& stepping, const QmpClosed& /*event*/) {
    // QEMU closes its end by dying, and its end is then reported at once.
    if (stepping.state.phase != Phase::ended && stepping.state.phase != Phase::killing) {
        stepping.act(StartDeadline{Deadline::kill, quit_limit});
    }
}

void on(Stepping& stepping, const ChildEnded& end) {
    stepping.act(outcome(stepping.config, stepping.state, end));
    stepping.state.phase = Phase::ended;
}

// The run is over, but the guest may be in the middle of something.
void end_run(Stepping& stepping, std::string why) {
    stepping.state.end_words = std::move(why);
    stepping.config.keeps_disks ? ask(stepping) : quit(stepping);
}

// The guest's power is cut only where that can do no harm, or nothing else helps.
void end_guest(Stepping& stepping, InControl who) {
    const std::string& asked_by =
        stepping.state.stop_signal ? stepping.state.stop_words : stepping.state.end_words;
    if (is_past_help(stepping.state.pause.state)) {
        stepping.act(
            Say{LogLevel::warning, fmt::format("{}: {}: ending it without its power button", asked_by,
                                               *why_not_running(stepping.state.pause.state))});
        stepping.state.forced = stepping.state.pause.state != "shutdown";
        quit(stepping);
    } else if (who == InControl::firmware) {
        stepping.act(Say{LogLevel::info, fmt::format("{}: stopping (no operating system runs)", asked_by)});
        quit(stepping);
    } else if (stepping.state.stop_signal == SIGQUIT) {
        cut_off(stepping);
    } else {
        power_down(stepping, asked_by);
    }
}

void press_power_button(Stepping& stepping) {
    stepping.act(SendCommand{Command::system_powerdown});
    stepping.act(StartDeadline{Deadline::powerdown_again, powerdown_interval});
}

void quit(Stepping& stepping) {
    stepping.act(CancelDeadline{Deadline::start});
    stepping.act(SendCommand{Command::quit});
    stepping.act(StartDeadline{Deadline::quit, stepping.state.forced ? forced_quit_limit : quit_limit});
    stepping.state.phase = Phase::quitting;
}

void kill(Stepping& stepping) {
    stepping.state.forced = stepping.state.forced || stepping.state.phase != Phase::starting;
    stepping.act(KillQemu{SIGKILL});
    stepping.state.phase = Phase::killing;
}

}  // namespace vml::supervise
