// One QMP conversation as a pure state machine: bytes in, deliveries out, no sockets.
//
//   connecting --greeting--> negotiating --reply to qmp_capabilities--> ready
//   any of them --close()--> closed
//
// Commands may be made in any state but the last: QEMU answers in order, so a command that is sent right
// behind qmp_capabilities is fine, and a round trip faster. Source: QEMU docs/interop/qmp-spec.txt, sections
// 2 and 4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "qmp/line_splitter.h"
#include "qmp/message.h"

namespace vml::qmp {

enum class State { connecting, negotiating, ready, closed };

// Negotiation is done and QEMU has built its machine: its main loop answers, and events will come. The
// greeting alone does not say that.
struct Ready {
    Greeting greeting;

    bool operator==(const Ready&) const = default;
};

// The peer broke the protocol. Data for whoever reports it, never an exception.
struct ProtocolFault {
    enum class Kind {
        garbled_line,        // skipped; the conversation goes on
        unknown_id,          // a reply or an error for an id that is not pending, or no longer; ignored
        failure_without_id,  // QEMU could not read a command; which one is unknown, so that one stays pending
        out_of_turn,         // fatal: something came before the greeting, or a second greeting came
        refused,             // fatal: qmp_capabilities failed
        line_too_long,       // fatal: over the splitter's limit
    };

    Kind kind = Kind::garbled_line;
    std::string why;
    std::string excerpt;  // the beginning of the line; empty when the line is too long to have been kept

    bool operator==(const ProtocolFault&) const = default;
};

// After a fatal fault nothing more is delivered, and the connection is to be closed.
[[nodiscard]] bool is_fatal(ProtocolFault::Kind kind) noexcept;

// A Reply is always for an id that command() gave; so is a Failure, whose id is always there.
using Delivery = std::variant<Ready, Event, Reply, Failure, ProtocolFault>;

// A command that is now pending, and the bytes to send for it.
struct Outgoing {
    std::uint64_t id = 0;
    std::string line;
};

class Session {
  public:
    explicit Session(std::size_t line_limit = max_line_bytes) : splitter_{line_limit} {}

    // The bytes to send before any others, at once: qmp_capabilities, without waiting for the greeting.
    [[nodiscard]] static std::string opening();

    // Makes a command pending. Its id comes back exactly once: by next() or by close(). None once the session
    // is closed.
    [[nodiscard]] std::optional<Outgoing> command(const Command& command);

    // Takes what the peer sent, in chunks of any size.
    void feed(std::string_view bytes);

    // The next thing that the fed bytes amount to, in wire order; none when there is nothing more for now.
    // Taken one by one, so that the receiver may close the session, or throw, between two of them.
    [[nodiscard]] std::optional<Delivery> next();

    // The end: a cut-off line and all that next() has not given yet are dropped, and every pending command
    // comes back as a Failure of class `disconnected`, in the order of command(). A second call gives
    // nothing.
    [[nodiscard]] std::vector<Failure> close(std::string_view reason);

    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] std::size_t pending() const noexcept { return pending_.size(); }

  private:
    using Kind = ProtocolFault::Kind;

    [[nodiscard]] std::optional<Delivery> accept(std::string_view line);
    [[nodiscard]] std::optional<Delivery> greet(Greeting greeting);
    [[nodiscard]] Delivery answer(Reply reply, std::string_view line);
    [[nodiscard]] Delivery answer(Failure failure, std::string_view line);
    [[nodiscard]] Delivery fault(Kind kind, std::string why, std::string_view line);

    LineSplitter splitter_;
    std::deque<std::string> lines_;  // complete, not yet looked at
    bool overflowed_ = false;        // the splitter gave up after lines_
    bool deaf_ = false;  // a fatal fault was delivered, or close() called: nothing more is delivered
    State state_ = State::connecting;
    Greeting greeting_;
    std::set<std::uint64_t> pending_;
    std::uint64_t last_id_ = 0;  // 0 is qmp_capabilities'
};

}  // namespace vml::qmp
