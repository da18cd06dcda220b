// What the boot comes to.
#include <utility>

#include <fmt/format.h>

#include "launcher/run/stepping.h"

namespace vml::supervise {

namespace {

using std::chrono::seconds;

void end_or_tell(Stepping& stepping, bool end, const Fault& verdict) {
    if (end) {
        stepping.state.fault = verdict;
        // A guest that panicked hears nothing; one that only is not understood may be at work.
        verdict.code == ExitCode::guest_panicked ? quit(stepping) : end_run(stepping, "the run is over");
    } else {
        stepping.act(Say{LogLevel::warning, one_line(verdict)});
    }
}

// The firmware keeps the first boot's order; what is said now is for the next reset.
void system_runs(Stepping& stepping) {
    if (!std::exchange(stepping.state.first_boot.system_ran, true) &&
        !stepping.config.after_first_boot.empty()) {
        stepping.act(SendBootOrder{});
    }
}

void first_boot_is_over(Stepping& stepping) {
    if (!std::exchange(stepping.state.first_boot.over, true) && stepping.config.remember_first_boot) {
        stepping.act(RememberFirstBoot{});
    }
}

// A reset that came before QEMU had the later order gave the firmware the first boot's once more.
void leave_first_boot(Stepping& stepping) {
    const FirstBoot& first = stepping.state.first_boot;
    if (first.over || !first.system_ran) {
        return;
    }
    if (!first.order_changed && !stepping.config.after_first_boot.empty()) {
        stepping.act(SendCommand{Command::system_reset});
    }
    if (first.by_guest) {
        first_boot_is_over(stepping);
    }
}

}  // namespace

void on(Stepping& stepping, const QemuEvent& event) {
    if (event.name == "RESET") {
        stepping.state.first_boot.by_guest = event.reason == "guest-reset";
        leave_first_boot(stepping);
    } else if (event.name == "SHUTDOWN") {
        stepping.state.shutdown_reason = event.reason;
        if (event.reason == "guest-shutdown" || event.reason == "guest-reset") {
            first_boot_is_over(stepping);
        }
    } else if (event.name == "BLOCK_IO_ERROR") {
        stepping.state.pause.no_space = event.no_space;
    } else if (event.name == "STOP" && guest_is_in_use(stepping)) {
        stepping.act(SendCommand{Command::query_status});  // nobody here asked for it
    } else if (event.name == "RESUME") {
        was_resumed(stepping);
    }
    if (event.name == "RESET") {
        was_reset(stepping);
    }
}

// Of a guest that said nothing of an operating system this alone tells that one ran.
void on(Stepping& stepping, const WritesTold& event) {
    if (event.wrote) {
        system_runs(stepping);
        leave_first_boot(stepping);
    } else if (!stepping.state.first_boot.system_ran && !stepping.config.after_first_boot.empty()) {
        stepping.act(
            Say{LogLevel::info,
                "no operating system had run: --boot-once counts for this boot, as for the one before"});
    }
}

void on(Stepping& stepping, const BootEnded& event) {
    if (stepping.state.phase != Phase::running) {
        return;
    }
    switch (event.end) {
        case BootEnd::until_reached:
            stepping.state.until_reached = true;
            end_run(stepping, fmt::format("{} was reached", stepping.config.until));
            break;
        case BootEnd::dead_end:
            stepping.act(TellVerdict{event.verdict});
            end_or_tell(stepping, stepping.config.ends_on_failure, event.verdict);
            break;
        case BootEnd::fell_through:  // what comes next in the order may boot
            if (stepping.config.until_stage) {
                stepping.act(TellVerdict{event.verdict});
            }
            end_or_tell(stepping, stepping.config.until_stage, event.verdict);
            break;
        case BootEnd::reboot_loop:
        case BootEnd::chain_loop:
            stepping.act(TellVerdict{event.verdict});
            end_or_tell(stepping, true, event.verdict);
            break;
    }
}

void on(Stepping& stepping, const VerdictGiven& event) {
    if (stepping.state.phase != Phase::running) {
        return;
    }
    stepping.state.fault = event.verdict;
    stepping.state.fault->code = ExitCode::boot_timeout;
    stepping.state.fault->why = fmt::format(
        "not at {} within {} s{}{}", stepping.config.until.empty() ? "os" : stepping.config.until,
        stepping.config.boot_timeout->count(), event.verdict.why.empty() ? "" : "; ", event.verdict.why);
    stepping.act(TellVerdict{*stepping.state.fault});
    end_run(stepping, "the time for the boot is over");
}

void on(Stepping& stepping, const WaitForSilence& event) {
    // The user's own limit is the word that counts.
    const bool limited = stepping.config.boot_timeout && stepping.config.boot_timeout->count() > 0;
    if (stepping.config.until_stage && stepping.state.phase == Phase::running && !limited) {
        stepping.act(StartDeadline{Deadline::silence, event.time});
    }
}

void on(Stepping& stepping, const OsSeen& event) {
    stepping.state.os_runs = event.runs;
    if (event.runs) {
        system_runs(stepping);
    }
    stepping.state.seen_last = event.last;
    if (event.up && stepping.config.until.empty()) {
        stepping.act(CancelDeadline{Deadline::boot});
    }
}

}  // namespace vml::supervise
