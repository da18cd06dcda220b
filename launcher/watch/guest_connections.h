// Which connections to vm-launch's own HTTP server a guest on a bridge has opened. Makes system calls.
//
// An address proves nothing: any host of the network may use it. But the first segment of a connection that
// comes out of the guest's tap was sent by the guest; nobody else's frame comes that way. It passes there
// before it comes to the server, so that whoever asks about a connection finds it.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

#include "base/fd.h"
#include "base/mac.h"
#include "bootwatch/packet.h"
#include "netserve/http_server.h"
#include "netsetup/capture.h"

namespace vml {

class GuestConnections {
  public:
    // `view`: net::open_connection_capture on the guest's tap.
    GuestConnections(OwnedFd view, const Mac& guest);

    // From this address and port, since it was last asked for, and not long ago: whoever has the address
    // later is somebody else.
    [[nodiscard]] bool take(const net::TcpTarget& from);

    // A guest that opens more at once has itself to blame.
    static constexpr std::size_t most = 256;
    static constexpr std::chrono::seconds longest{60};

  private:
    using Clock = std::chrono::steady_clock;
    struct Opened {
        net::TcpTarget from;
        Clock::time_point at;
    };

    void look();
    void note(const boot::Packet& packet);

    OwnedFd view_;
    Mac guest_;
    std::deque<Opened> opened_;  // the latest last
};

// The client of the HTTP server is this guest.
[[nodiscard]] serve::Stranger all_but_guest(OwnedFd view, const Mac& guest);

}  // namespace vml
