#include "qmp/session.h"

#include <iterator>
#include <utility>

namespace vml::qmp {
namespace {

constexpr std::uint64_t capabilities_id = 0;

}  // namespace

bool is_fatal(ProtocolFault::Kind kind) noexcept {
    using Kind = ProtocolFault::Kind;
    return kind == Kind::out_of_turn || kind == Kind::refused || kind == Kind::line_too_long;
}

std::string Session::opening() {
    return to_line(Command{"qmp_capabilities"}, capabilities_id);
}

std::optional<Outgoing> Session::command(const Command& command) {
    if (state_ == State::closed) {
        return std::nullopt;
    }
    const std::uint64_t id = last_id_ + 1;
    Outgoing outgoing{id, to_line(command, id)};
    pending_.insert(id);
    last_id_ = id;
    return outgoing;
}

void Session::feed(std::string_view bytes) {
    if (deaf_) {
        return;
    }
    LineSplitter::Split split = splitter_.feed(bytes);
    std::move(split.lines.begin(), split.lines.end(), std::back_inserter(lines_));
    overflowed_ = overflowed_ || split.overflowed;
}

std::optional<Delivery> Session::next() {
    while (!deaf_ && !lines_.empty()) {
        const std::string line = std::move(lines_.front());
        lines_.pop_front();
        if (auto delivery = accept(line)) {
            return delivery;
        }
    }
    if (!deaf_ && overflowed_) {
        return fault(Kind::line_too_long, "a line is longer than the limit", {});
    }
    return std::nullopt;
}

std::optional<Delivery> Session::accept(std::string_view line) {
    Message message = parse_message(line);
    if (auto* garbage = std::get_if<Garbage>(&message)) {
        return fault(Kind::garbled_line, std::move(garbage->why), line);
    }
    if ((state_ == State::connecting) != std::holds_alternative<Greeting>(message)) {
        const bool connecting = state_ == State::connecting;
        return fault(Kind::out_of_turn, connecting ? "no greeting" : "a second greeting", line);
    }
    if (auto* greeting = std::get_if<Greeting>(&message)) {
        return greet(std::move(*greeting));
    }
    if (auto* reply = std::get_if<Reply>(&message)) {
        return answer(std::move(*reply), line);
    }
    if (auto* failure = std::get_if<Failure>(&message)) {
        return answer(std::move(*failure), line);
    }
    return std::get<Event>(std::move(message));
}

std::optional<Delivery> Session::greet(Greeting greeting) {
    greeting_ = std::move(greeting);
    state_ = State::negotiating;
    return std::nullopt;
}

Delivery Session::answer(Reply reply, std::string_view line) {
    if (reply.id == capabilities_id && state_ == State::negotiating) {
        state_ = State::ready;
        return Ready{greeting_};
    }
    if (pending_.erase(reply.id) == 0) {
        return fault(Kind::unknown_id, "a reply to a command that is not pending", line);
    }
    return reply;
}

Delivery Session::answer(Failure failure, std::string_view line) {
    if (!failure.id) {
        return fault(Kind::failure_without_id, failure.error_class + ": " + failure.description, line);
    }
    if (*failure.id == capabilities_id && state_ == State::negotiating) {
        return fault(Kind::refused, failure.error_class + ": " + failure.description, line);
    }
    if (pending_.erase(*failure.id) == 0) {
        return fault(Kind::unknown_id, "an error for a command that is not pending", line);
    }
    return failure;
}

Delivery Session::fault(Kind kind, std::string why, std::string_view line) {
    deaf_ = deaf_ || is_fatal(kind);
    return ProtocolFault{kind, std::move(why), excerpt_of(line)};
}

std::vector<Failure> Session::close(std::string_view reason) {
    std::vector<Failure> unanswered;
    for (const std::uint64_t id : std::exchange(pending_, {})) {
        unanswered.push_back(Failure{id, std::string{disconnected}, std::string{reason}});
    }
    state_ = State::closed;
    deaf_ = true;
    lines_.clear();
    return unanswered;
}

}  // namespace vml::qmp
