#include "launcher/remote/agent_presence.h"

#include <chrono>
#include <utility>

namespace vml {

namespace {

using boost::system::error_code;
using nlohmann::json;

// What qemu-ga is sent before it reads waits for it, so one look is mostly enough; a guest without an agent
// is left alone afterwards.
constexpr unsigned looks = 3;
constexpr std::chrono::seconds between_looks{5};

}  // namespace

AgentRequest guest_sync(std::int64_t number) {
    AgentRequest request;
    request.message = {{"execute", "guest-sync"}, {"arguments", {{"id", number}}}};
    request.sync = number;
    return request;
}

AgentPresence::AgentPresence(boost::asio::io_context& io, AgentChannel& channel,
                             std::function<void()> on_answer)
    : channel_{channel}, on_answer_{std::move(on_answer)}, next_look_{io} {}

void AgentPresence::opened() {
    next_look_.cancel();
    open_ = true;
    answers_ = false;
    if (channel_.exists()) {
        first_sync_ = last_sync_ + 1;
        looks_left_ = looks;
        look();
    }
}

void AgentPresence::closed() {
    next_look_.cancel();
    open_ = false;
    answers_ = false;
}

void AgentPresence::look() {
    --looks_left_;
    AgentRequest request = guest_sync(next_number());
    request.answered = [](const json& /*value*/) {};
    request.failed = [this](const Fault& /*fault*/) { look_again(); };
    channel_.ask(std::move(request));
}

void AgentPresence::look_again() {
    if (!open_ || answers_ || looks_left_ == 0) {
        return;
    }
    next_look_.expires_after(between_looks);
    next_look_.async_wait([this](const error_code& error) {
        if (!error && open_ && !answers_) {
            look();
        }
    });
}

void AgentPresence::heard(const json& value) {
    const bool ours = value.is_number_integer() && value.get<std::int64_t>() >= first_sync_ &&
                      value.get<std::int64_t>() <= last_sync_;
    if (ours && open_ && !std::exchange(answers_, true)) {
        next_look_.cancel();
        if (on_answer_) {
            on_answer_();
        }
    }
}

}  // namespace vml
