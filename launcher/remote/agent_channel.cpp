#include "launcher/remote/agent_channel.h"

#include <chrono>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <fmt/format.h>

#include "base/json.h"

namespace vml {

namespace {

using boost::system::error_code;
using nlohmann::json;

// Any answer of a living agent takes milliseconds.
constexpr std::chrono::seconds agent_limit{10};
constexpr unsigned deepest_answer = 8;  // {"return":{…}} is 2

}  // namespace

Fault agent_fault(std::string why, std::string hint) {
    return {"cannot run a command in the guest", std::move(why), std::move(hint), ExitCode::exec_failed};
}

AgentChannel::AgentChannel(boost::asio::io_context& io, OwnedFd socket, Events events)
    : limit_{io}, events_{std::move(events)}, lines_{deepest_answer}, rest_{io} {
    if (socket) {
        port_.emplace(io, boost::asio::local::stream_protocol{}, socket.release());
        port_->non_blocking(true);
        read();
    }
}

void AgentChannel::ask(AgentRequest request) {
    requests_.push_back(std::move(request));
    send_front();
}

void AgentChannel::send_front() {
    if (requests_.empty() || std::exchange(asked_, true)) {
        return;
    }
    const std::string line =
        requests_.front().message.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    error_code error;
    // A request is far smaller than the socket's buffer, and there is one at a time: what does not fit now
    // means that nobody reads.
    if (port_->write_some(boost::asio::buffer(line), error) != line.size() || error) {
        fail_all(agent_fault("its guest agent does not listen"));
        return;
    }
    limit_.expires_after(agent_limit);
    limit_.async_wait([this](const error_code& aborted) {
        if (!aborted) {
            fail_all(
                agent_fault(fmt::format("its guest agent did not answer within {} s", agent_limit.count()),
                            "is the guest stopped, or very busy?"));
        }
    });
}

void AgentChannel::read() {
    port_->async_read_some(boost::asio::buffer(chunk_.data(), chunk_.size()),
                           [this](const error_code& error, std::size_t count) {
                               if (error) {
                                   events_.on_closed();
                                   return;
                               }
                               took({chunk_.data(), count}) ? read() : rest();
                           });
}

void AgentChannel::rest() {
    rest_.expires_after(AgentCredit::rest_time);
    rest_.async_wait([this](const error_code& aborted) {
        if (!aborted) {
            credit_.rested();
            read();
        }
    });
}

// True where the reading goes on at once. The bytes of an answer that is awaited cost nothing of the credit:
// it is bounded, and who asked wants it soon.
bool AgentChannel::took(std::string_view bytes) {
    bool goes_on = true;
    while (!bytes.empty()) {
        const AgentLines::Taken taken = lines_.take(bytes, longest_expected());
        bytes.remove_prefix(taken.count);
        if (taken.too_long) {
            too_long();
        }
        const bool answers = taken.line && !taken.line->empty() && took_line(*taken.line);
        const bool awaited = answers || (taken.kept && !taken.line && !requests_.empty());
        goes_on = (awaited || !credit_.spend(taken.count)) && goes_on;
    }
    return goes_on;
}

std::size_t AgentChannel::longest_expected() const {
    if (!requests_.empty()) {
        return requests_.front().longest_answer;
    }
    return late_answers_ > 0 ? short_answer : 0;
}

// Before guest-sync is answered the port may still hold an answer to somebody who gave up waiting.
void AgentChannel::too_long() {
    if (requests_.empty()) {
        --late_answers_;
    } else if (!requests_.front().sync) {
        fail_all(agent_fault("the guest agent's reply is too large"));
    }
}

// False where the line is no answer.
bool AgentChannel::took_line(std::string_view line) {
    const json answer = parse_json(line, deepest_answer);
    if (!answer.is_object()) {
        if (line.size() > short_answer) {
            fail_all(agent_fault("unexpected reply from the guest agent"));
        }
        return false;
    }
    events_.on_value(answer.value("return", json{}));
    const bool is_answer = answer.contains("return") || answer.contains("error");
    if (requests_.empty()) {
        late_answers_ -= is_answer && late_answers_ > 0 ? 1U : 0U;
    } else if (const auto sync = requests_.front().sync; !sync || answer.value("return", json{}) == *sync) {
        take_answer(answer);
        return true;
    }
    return false;
}

void AgentChannel::take_answer(const json& answer) {
    limit_.cancel();
    const AgentRequest request = std::move(requests_.front());
    requests_.pop_front();
    asked_ = false;
    if (const auto value = answer.find("return"); value != answer.end()) {
        request.answered(*value);
    } else {
        request.failed(agent_fault(text_at(answer.value("error", json::object()), "desc")));
    }
    send_front();
}

void AgentChannel::fail_all(const Fault& fault) {
    limit_.cancel();
    late_answers_ += std::exchange(asked_, false) ? 1U : 0U;
    for (const AgentRequest& request : std::exchange(requests_, {})) {
        request.failed(fault);
    }
}

}  // namespace vml
