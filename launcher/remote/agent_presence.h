// Is there a guest agent behind the port? Who opens it need not read it, nor be an agent: UEFI opens each
// such port that it finds (edk2's VirtioSerialDxe). An agent counts once it answered guest-sync with a number
// that it was sent.
#pragma once

#include <cstdint>
#include <functional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json.hpp>

#include "launcher/remote/agent_channel.h"

namespace vml {

class AgentPresence {
  public:
    // `on_answer`: it answers, for the first time since its port was opened.
    AgentPresence(boost::asio::io_context& io, AgentChannel& channel, std::function<void()> on_answer);

    // The port was opened in the guest: the agent is asked now, and a few times more.
    void opened();
    void closed();
    [[nodiscard]] bool is_open() const { return open_; }
    [[nodiscard]] bool answers() const { return answers_; }

    // Any of the numbers that were sent since the port was opened counts, however late.
    void heard(const nlohmann::json& value);
    // For a guest-sync of somebody else's.
    [[nodiscard]] std::int64_t next_number() { return ++last_sync_; }

  private:
    void look();
    void look_again();

    AgentChannel& channel_;
    std::function<void()> on_answer_;
    boost::asio::steady_timer next_look_;
    bool open_ = false;
    bool answers_ = false;
    unsigned looks_left_ = 0;
    std::int64_t last_sync_ = 0;
    std::int64_t first_sync_ = 0;  // since the port was opened
};

[[nodiscard]] AgentRequest guest_sync(std::int64_t number);

}  // namespace vml
