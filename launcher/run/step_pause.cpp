// A guest that stands still, and what lets it go on.
#include <utility>

#include <fmt/format.h>

#include "launcher/remote/run_state.h"
#include "launcher/run/stepping.h"

namespace vml::supervise {

namespace {

using std::chrono::seconds;

// A guest that is paused for want of room is told to go on so often. What it could not write is written again
// at once (QEMU hw/block, *_dma_restart_cb), so a guest that runs for that long has got the room.
constexpr seconds resume_interval{2};
constexpr seconds resume_proof{1};

Fault internal_error(const Config& config) {
    return {"QEMU stopped the guest with an internal error",
            config.kvm ? "KVM could not go on: it cannot run this firmware here (a nested KVM?)"
                       : "QEMU's status is internal-error",
            config.kvm ? "emulate: --accel tcg" : "look at QEMU's messages: --log-level debug",
            ExitCode::qemu};
}

// Of the states that QEMU may say on STOP, those that a user can do something about.
bool known_pause(const std::string& status) {
    return status != "running" && !remedy_for(status).empty();
}

void stands_for_disk(Stepping& stepping) {
    const bool is_new = std::exchange(stepping.state.pause.state, "io-error") != "io-error";
    const bool by_itself = stepping.state.pause.no_space && stepping.config.resumes;
    if (std::exchange(stepping.state.pause.trying, false)) {
        stepping.act(CancelDeadline{Deadline::resume});
    }
    if (std::exchange(stepping.state.pause.asked, false)) {
        stepping.act(TellResumed{"a disk still cannot be written"});
    }
    if (is_new) {
        stepping.act(
            Say{LogLevel::warning,
                fmt::format("the guest is paused: a disk could not be written{}; {}",
                            stepping.state.pause.no_space ? ", its file system on the host is full" : "",
                            by_itself ? "it goes on by itself once there is room"
                                      : "`vm-launch resume` lets it go on")});
    }
    if (by_itself || stepping.state.phase == Phase::powering_down) {
        stepping.act(StartDeadline{Deadline::resume, resume_interval});
    }
}

}  // namespace

void on(Stepping& stepping, const ResetAsked& /*event*/) {
    stepping.state.reset_asked = guest_is_in_use(stepping);
}

void on(Stepping& stepping, const ResumeAsked& /*event*/) {
    if (guest_is_in_use(stepping)) {
        stepping.state.pause.asked = true;
        try_to_resume(stepping);
    } else {
        stepping.act(TellResumed{stepping.state.phase < Phase::running ? "the guest has not been started yet"
                                                                       : "the VM is ending"});
    }
}

void on(Stepping& stepping, const ResumeRefused& refusal) {
    stepping.state.pause.trying = false;
    stepping.act(CancelDeadline{Deadline::resume});
    if (std::exchange(stepping.state.pause.asked, false)) {
        stepping.act(TellResumed{refusal.why});
    } else {
        stepping.act(Say{LogLevel::warning, fmt::format("the guest cannot go on: {}", refusal.why)});
    }
}

void on(Stepping& stepping, const StatusAnswered& answer) {
    if (!guest_is_in_use(stepping)) {
        return;
    }
    const bool was_reset = std::exchange(stepping.state.reset_asked, false);
    if (answer.status == "internal-error") {
        stepping.state.fault = internal_error(stepping.config);
        quit(stepping);
    } else if (answer.status == "prelaunch" && was_reset) {
        stepping.state.pause.state = answer.status;  // QEMU does not start a guest that stood still
        try_to_resume(stepping);
    } else if (answer.status == "io-error") {
        stands_for_disk(stepping);
    } else if (known_pause(answer.status)) {
        stepping.state.pause.state = answer.status;
        stepping.act(Say{LogLevel::info, *why_not_running(answer.status)});
    }
}

void was_reset(Stepping& stepping) {
    if (stepping.state.phase == Phase::powering_down) {
        stepping.act(
            Say{LogLevel::info, "the guest rebooted instead: stopping (no operating system runs any more)"});
        quit(stepping);
    } else if (guest_is_in_use(stepping) &&
               (stepping.state.reset_asked || !stepping.state.pause.state.empty())) {
        stepping.act(SendCommand{Command::query_status});
    }
}

// QEMU runs the guest, and has not been told to quit.
bool guest_is_in_use(const Stepping& stepping) {
    return stepping.state.phase == Phase::running || stepping.state.phase == Phase::asking ||
           stepping.state.phase == Phase::powering_down;
}

void try_to_resume(Stepping& stepping) {
    stepping.state.pause.trying = true;
    stepping.act(SendCommand{Command::resume});
    stepping.act(StartDeadline{Deadline::resume, resume_proof});
}

void resume_deadline_passed(Stepping& stepping) {
    if (!guest_is_in_use(stepping)) {
        return;
    }
    if (stepping.state.pause.trying) {
        goes_on(stepping);
    } else if (!stepping.state.pause.state.empty()) {
        try_to_resume(stepping);
    }
}

// Only a disk may stop it again at once: see resume_proof.
void was_resumed(Stepping& stepping) {
    const Pause& pause = stepping.state.pause;
    if (!pause.state.empty() && !(pause.trying && pause.state == "io-error")) {
        goes_on(stepping);
    }
}

void goes_on(Stepping& stepping) {
    const Pause was = std::exchange(stepping.state.pause, {});
    if (!was.state.empty()) {
        stepping.act(Say{LogLevel::info, was.state == "io-error"
                                             ? "the guest goes on: its disk can be written again"
                                             : "the guest goes on"});
    }
    if (was.asked) {
        stepping.act(TellResumed{});
    }
}

}  // namespace vml::supervise
