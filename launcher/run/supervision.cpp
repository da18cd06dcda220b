#include "launcher/run/supervision.h"

#include <optional>
#include <utility>
#include <variant>

#include <boost/system/error_code.hpp>

namespace vml {

void Supervision::feed(supervise::Event event) {
    waiting_.push_back(std::move(event));
    if (std::exchange(busy_, true)) {
        return;
    }
    while (!waiting_.empty()) {
        const supervise::Event next = std::move(waiting_.front());
        waiting_.pop_front();
        if (state_.phase != supervise::Phase::ended) {
            const bool stepped = guard_.run([&] { take(supervise::step(config_, state_, next)); });
            if (!stepped && std::holds_alternative<supervise::ChildEnded>(next)) {
                finish_regardless();
            }
        }
    }
    busy_ = false;
}

// QEMU is gone: whatever the supervisor makes of it, the run is over.
void Supervision::finish_regardless() {
    state_.phase = supervise::Phase::ended;
    guard_.run([this] {
        carry_out_(supervise::Finish{static_cast<int>(ExitCode::failed), std::nullopt, "QEMU ended"});
    });
}

// One that fails keeps no other from being carried out.
void Supervision::take(supervise::Step step) {
    state_ = std::move(step.state);
    for (const supervise::Action& action : step.actions) {
        guard_.run([&] { carry_out(action); });
    }
}

void Supervision::carry_out(const supervise::Action& action) {
    if (const auto* deadline = std::get_if<supervise::StartDeadline>(&action)) {
        start_deadline(*deadline);
    } else if (const auto* cancelled = std::get_if<supervise::CancelDeadline>(&action)) {
        deadlines_.erase(cancelled->deadline);
    } else {
        carry_out_(action);
    }
}

void Supervision::start_deadline(const supervise::StartDeadline& action) {
    auto [timer, is_new] = deadlines_.try_emplace(action.deadline, io_);
    timer->second.expires_after(action.after);
    timer->second.async_wait([this, deadline = action.deadline](const boost::system::error_code& error) {
        if (!error) {
            feed(supervise::DeadlinePassed{deadline});
        }
    });
}

}  // namespace vml
