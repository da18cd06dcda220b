// One event on its way through the supervisor: the state that it changes, and what it wants done. Inside of
// supervisor.h only.
#pragma once

#include <utility>

#include "launcher/run/supervisor.h"

namespace vml::supervise {

struct Stepping {
    const Config& config;
    State state;
    Actions actions{};

    template <typename Any>
    void act(Any action) {
        actions.emplace_back(std::move(action));
    }
};

// step_start.cpp
void begin(Stepping& stepping);
void on(Stepping& stepping, const QmpReady& event);
void on(Stepping& stepping, const CheckAnswered& answer);
void on(Stepping& stepping, const PortForwards& event);
void on(Stepping& stepping, const ContinueRefused& refusal);
void on(Stepping& stepping, const BootOrderChanged& event);
void on(Stepping& stepping, const BootOrderRefused& refusal);
void start_timed_out(Stepping& stepping);
void run_guest(Stepping& stepping);

// step_stop.cpp
void on(Stepping& stepping, const SignalReceived& signal);
void on(Stepping& stepping, const StopAsked& event);
void on(Stepping& stepping, const PowerTold& told);
void on(Stepping& stepping, const QmpClosed& event);
void on(Stepping& stepping, const ChildEnded& end);
// The run is over, but the guest may be in the middle of something.
void end_run(Stepping& stepping, std::string why);
// The guest's power is cut only where that can do no harm, or nothing else helps.
void end_guest(Stepping& stepping, InControl who);
void press_power_button(Stepping& stepping);
void quit(Stepping& stepping);
void kill(Stepping& stepping);

// step_pause.cpp
void on(Stepping& stepping, const ResetAsked& event);
void on(Stepping& stepping, const ResumeAsked& event);
void on(Stepping& stepping, const ResumeRefused& refusal);
void on(Stepping& stepping, const StatusAnswered& answer);
void was_reset(Stepping& stepping);
// QEMU runs the guest, and has not been told to quit.
bool guest_is_in_use(const Stepping& stepping);
void try_to_resume(Stepping& stepping);
void resume_deadline_passed(Stepping& stepping);
void goes_on(Stepping& stepping);
void was_resumed(Stepping& stepping);

// step_boot.cpp
void on(Stepping& stepping, const QemuEvent& event);
void on(Stepping& stepping, const WritesTold& event);
void on(Stepping& stepping, const BootEnded& event);
void on(Stepping& stepping, const VerdictGiven& event);
void on(Stepping& stepping, const WaitForSilence& event);
void on(Stepping& stepping, const OsSeen& event);

}  // namespace vml::supervise
