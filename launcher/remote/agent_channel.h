// Our end of the guest agent's port: one question at a time, and the answer to it (QEMU
// docs/interop/qemu-ga.rst).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/fd.h"
#include "base/read_buffer.h"
#include "launcher/remote/agent_credit.h"
#include "launcher/remote/agent_lines.h"

namespace vml {

[[nodiscard]] Fault agent_fault(std::string why, std::string hint = {});

// guest-sync's and guest-exec's answers are short.
inline constexpr std::size_t short_answer = 4096;

struct AgentRequest {
    nlohmann::json message;
    std::function<void(const nlohmann::json& value)> answered;
    std::function<void(const Fault& fault)> failed;
    std::optional<std::int64_t> sync = {};  // guest-sync's number: only the answer with this number is one
    std::size_t longest_answer = short_answer;
};

// Nothing is kept or parsed that nobody asked for, and read slowly alone: a guest may write into the port
// whatever it wants.
class AgentChannel {
  public:
    struct Events {
        std::function<void(const nlohmann::json& value)> on_value;  // of any answer, also of a late one
        std::function<void()> on_closed;                            // QEMU's end
    };

    // Without a socket the VM has no such port, and nothing may be asked.
    AgentChannel(boost::asio::io_context& io, OwnedFd socket, Events events);

    [[nodiscard]] bool exists() const { return port_.has_value(); }
    void ask(AgentRequest request);
    // Gives up every question.
    void fail_all(const Fault& fault);
    // What opened the port before is gone, and its answers with it.
    void forget_late_answers() { late_answers_ = 0; }

  private:
    void send_front();
    void read();
    [[nodiscard]] bool took(std::string_view bytes);
    [[nodiscard]] bool took_line(std::string_view line);
    void rest();
    void take_answer(const nlohmann::json& answer);
    [[nodiscard]] std::size_t longest_expected() const;
    void too_long();

    std::optional<boost::asio::local::stream_protocol::socket> port_;
    boost::asio::steady_timer limit_;
    Events events_;
    std::deque<AgentRequest> requests_;
    bool asked_ = false;         // the first one is with the agent
    unsigned late_answers_ = 0;  // to questions that were given up, which may still come
    AgentLines lines_;
    AgentCredit credit_;
    boost::asio::steady_timer rest_;
    ReadBuffer<65536> chunk_;
};

}  // namespace vml
