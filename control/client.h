// The client's end of a control socket: blocking, for a process that has nothing else to do. Makes system
// calls.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "control/address.h"
#include "control/peer.h"
#include "control/protocol.h"

namespace vml::control {

inline constexpr std::size_t longest_answer = std::size_t{1} << 20;
// What a guest's command may have written (guest-exec keeps 16 MiB of each stream, and base64 adds a third),
// and a screenshot.
inline constexpr std::size_t longest_output = std::size_t{64} << 20;

class Client {
  public:
    using Seconds = std::chrono::seconds;

    // Throws Error when nobody listens, or when it is not the folder's owner who does.
    explicit Client(const Address& address);

    // Who listens, as the kernel has it.
    [[nodiscard]] const Peer& peer() const { return peer_; }

    // The value that came back. Throws the VM's own Fault as an Error, or what kept the answer from coming;
    // without a limit it may take as long as the VM lives. No answer has more bytes than `most`. It may be
    // followed by bytes (read_bytes) or by a stream.
    [[nodiscard]] nlohmann::json ask(const Request& request, std::optional<Seconds> limit,
                                     std::size_t most = longest_answer);
    [[nodiscard]] std::string read_bytes(std::size_t count, Seconds limit);

    [[nodiscard]] int fd() const { return socket_.get(); }
    // What was received behind the last answer: a stream's first bytes.
    [[nodiscard]] std::string take_received() { return std::exchange(received_, {}); }

  private:
    void send(std::string_view bytes) const;
    void receive(std::optional<std::chrono::steady_clock::time_point> until, std::size_t most);

    std::string name_;
    OwnedFd socket_;
    Peer peer_;
    std::string received_;
};

}  // namespace vml::control
