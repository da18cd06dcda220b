#include "launcher/run/supervisor.h"

#include <utility>
#include <variant>

#include "launcher/run/stepping.h"

namespace vml::supervise {

void on(Stepping& stepping, const DeadlinePassed& passed) {
    switch (passed.deadline) {
        case Deadline::start:
            start_timed_out(stepping);
            break;
        case Deadline::ports:
            if (stepping.state.phase == Phase::waiting) {
                stepping.act(Say{LogLevel::warning,
                                 "the bridge still does not forward: the guest runs all the same, and its "
                                 "DHCP requests may be lost"});
                run_guest(stepping);
            }
            break;
        case Deadline::boot:
            if (stepping.state.phase == Phase::running) {
                stepping.act(AskVerdict{});
            }
            break;
        case Deadline::silence:
            if (stepping.state.phase == Phase::running) {
                stepping.act(TellSilence{});
            }
            break;
        case Deadline::ask:
            if (stepping.state.phase == Phase::asking) {
                end_guest(stepping, InControl::unknown);
            }
            break;
        case Deadline::resume:
            resume_deadline_passed(stepping);
            break;
        case Deadline::powerdown_again:
            if (stepping.state.phase == Phase::powering_down) {
                press_power_button(stepping);
            }
            break;
        case Deadline::grace:
            if (stepping.state.phase == Phase::powering_down) {
                stepping.act(Say{LogLevel::warning, "the guest did not power off in time: forcing the stop"});
                stepping.state.forced = true;
                quit(stepping);
            }
            break;
        case Deadline::quit:
        case Deadline::kill:
            kill(stepping);
            break;
    }
}

Step start(const Config& config) {
    Stepping stepping{config, State{}};
    begin(stepping);
    return {std::move(stepping.state), std::move(stepping.actions)};
}

Step step(const Config& config, State state, const Event& event) {
    Stepping stepping{config, std::move(state)};
    std::visit([&](const auto& happened) { on(stepping, happened); }, event);
    return {std::move(stepping.state), std::move(stepping.actions)};
}

}  // namespace vml::supervise
