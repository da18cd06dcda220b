// The QEMU guest agent, qemu-ga, at the other end of a virtio serial port (QEMU docs/interop/qemu-ga.rst,
// qga/ qapi-schema.json): one command line at a time runs in the guest, and its output comes back. What the
// guest sends is believed no further than its own answers go.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/fd.h"
#include "launcher/remote/agent_channel.h"
#include "launcher/remote/agent_presence.h"

namespace vml {

struct GuestExit {
    std::optional<int> code;
    std::optional<int> signal;  // in place of a code
    std::string output;         // standard output and error in base64, as the agent gives them
    std::string errors;
    bool truncated = false;  // the guest wrote more than its agent keeps

    bool operator==(const GuestExit&) const = default;
};

// What the agent's answer to guest-exec-status tells: nothing yet while the command runs. Pure.
[[nodiscard]] std::variant<std::monostate, GuestExit, Fault> guest_exit_in(const nlohmann::json& answer);

class GuestAgent {
  public:
    using Result = std::variant<GuestExit, Fault>;
    using Done = std::function<void(const Result&)>;

    // `socket` is our end of the port; none: the VM has no such port. `on_answer`: it answers, for the first
    // time since its port was opened.
    GuestAgent(boost::asio::io_context& io, OwnedFd socket, std::function<void()> on_answer = {});

    // QEMU's event VSERPORT_CHANGE: something in the guest opened or closed the port. That may be UEFI
    // (edk2's VirtioSerialDxe opens each port that it finds), so an agent counts once it answered guest-sync
    // with the number that it was sent. It is asked now, and a few times more; an answer that comes later
    // than that counts too.
    void port_changed(bool open);
    // There is an agent.
    [[nodiscard]] bool answers() const { return presence_.answers(); }

    // Runs a program of the guest, found by its PATH. `done` is called once, in the event loop or before this
    // returns.
    void exec(const std::vector<std::string>& command, Done done);

    // What the agent answers to guest-network-get-interfaces, or null where it does not within a second.
    // `done` is called once, in the event loop or before this returns.
    void ask_interfaces(std::function<void(const nlohmann::json& interfaces)> done);

  private:
    struct Job {
        std::vector<std::string> command;
        Done done;
        std::chrono::milliseconds pause{0};
        boost::asio::steady_timer timer;
    };
    using JobPtr = std::shared_ptr<Job>;

    void start(const JobPtr& job);
    void wait_and_ask(const JobPtr& job, const nlohmann::json& pid);
    void ask_for_exit(const JobPtr& job, const nlohmann::json& pid);

    boost::asio::io_context& io_;
    AgentChannel channel_;
    AgentPresence presence_;
};

}  // namespace vml
