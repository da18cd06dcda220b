// The client's end of a control socket: blocking, for a process that has nothing else to do. Makes system
// calls.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "control/address.h"
#include "control/protocol.h"

namespace vml::control {

class Client {
  public:
    using Seconds = std::chrono::seconds;

    // Throws Error when nobody listens, or when it is not the VM's owner who does.
    explicit Client(const Address& address);

    // The value that came back. Throws the VM's own Fault as an Error, or what kept the answer from coming;
    // without a limit it may take as long as the VM lives. An answer may be followed by bytes (read_bytes) or
    // by a stream.
    [[nodiscard]] nlohmann::json ask(const Request& request, std::optional<Seconds> limit);
    [[nodiscard]] std::string read_bytes(std::size_t count, Seconds limit);

    [[nodiscard]] int fd() const { return socket_.get(); }
    // What was received behind the last answer: a stream's first bytes.
    [[nodiscard]] std::string take_received() { return std::exchange(received_, {}); }

  private:
    void send(std::string_view bytes) const;
    void receive(std::optional<std::chrono::steady_clock::time_point> until);

    std::string name_;
    OwnedFd socket_;
    std::string received_;
};

// The control sockets that this process may command: its own user's, or for root everybody's.
[[nodiscard]] std::vector<Address> reachable_vms();

}  // namespace vml::control
