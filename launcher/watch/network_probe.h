// The probe of the guest's network beside QEMU's start: a DHCPDISCOVER in the guest's name, again where
// nobody answers, and the answers, which are kept apart from the guest's own talk with servers. Runs in the
// event loop, and delays nothing.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bootwatch/probe.h"
#include "launcher/handles/handles.h"
#include "netserve/discover.h"

namespace vml {

struct ProbeQuestion {
    std::string nic{};           // "net0"; it is watched
    serve::Discover discover{};  // its number is chosen when it is asked
};

class NetworkProbe {
  public:
    struct Hands {
        // Out of the macvtap of a watched NIC, as though the guest had sent it; false when it cannot.
        std::function<bool(std::size_t nic, std::string_view frame)> send;
        std::function<double()> now;  // seconds since the guest began to run; 0 before
        // There is news of it: it was sent, or somebody answered.
        std::function<void(const boot::Probe& probe)> news;
        // Nothing more will be sent or waited for.
        std::function<void(const boot::Probe& probe)> over;
    };

    // Without a question nothing is ever sent. Of `taps`, which are those of the watched NICs, the guest's
    // end of the one that is asked over is taken.
    NetworkProbe(boost::asio::io_context& io, const std::optional<ProbeQuestion>& question,
                 std::vector<WireTap>& taps, Hands hands);

    // The guest's port forwards. Once.
    void begin();
    // What it holds of the guest's tap, which lives on as long, is let go.
    void end();
    // A packet on the link of a watched NIC, which `nic` is an index of: is it the probe's own, and none of
    // the guest's?
    [[nodiscard]] bool takes(std::size_t nic, const boot::Packet& packet);

  private:
    [[nodiscard]] bool send_frame();
    void send();
    void wait(double seconds);
    void due();

    Hands hands_;
    std::optional<OwnedFd> guest_end_;  // of a tap, until all is sent; none: it is a macvtap
    std::size_t nic_ = 0;
    std::string frame_;  // empty: there is nothing to ask
    std::optional<boot::Probe> probe_;
    bool answered_ = false;
    bool over_ = false;
    bool guest_asks_ = false;
    boost::asio::steady_timer timer_;
};

}  // namespace vml
