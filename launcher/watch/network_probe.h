// The probe of the guest's network beside QEMU's start: a DHCPDISCOVER in the guest's name, again where nobody
// answers, and the answers, which are kept apart from the guest's own talk with servers. Runs in the event
// loop, and delays nothing.
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
#include "bootwatch/timeline.h"
#include "netserve/discover.h"

namespace vml {

struct ProbeQuestion {
    std::string nic{};           // "net0"; it is watched
    serve::Discover discover{};  // its number is chosen when it is asked
};

class NetworkProbe {
  public:
    struct Hands {
        // As though the guest had sent it; false when it cannot.
        std::function<bool(std::size_t nic, std::string_view frame)> send;
        std::function<double()> now;  // seconds since the guest began to run; 0 before
        // There is news of it: it was sent, or somebody answered.
        std::function<void(const boot::Probe& probe)> news;
        // Nothing more will be sent or waited for.
        std::function<void(std::size_t nic, const boot::Probe& probe)> over;
    };

    // Without a question nothing is ever sent.
    NetworkProbe(boost::asio::io_context& io, const std::optional<ProbeQuestion>& question,
                 const std::vector<boot::WatchedNic>& watched, Hands hands);

    // The guest's port forwards. Once.
    void begin();
    // A packet on the link of a watched NIC, which `nic` is an index of: is it the probe's own, and none of
    // the guest's?
    [[nodiscard]] bool takes(std::size_t nic, const boot::Packet& packet);

    // It is asked again so long after the first time; and so long after the last time nobody answers any
    // more. dnsmasq answers after 3 s where it looks first whether somebody has the address (PING_WAIT of its
    // src/config.h), ISC's server after 1 s.
    static constexpr double second_s = 1;
    static constexpr double third_s = 3;
    static constexpr double last_s = 4;
    // Others answer within so long after the first: a client waits no longer (PXE specification 2.1, 2.2.5:
    // iPXE 3 s).
    static constexpr double others_s = 3;

  private:
    void send();
    void wait(double seconds);
    void due();
    void end();

    Hands hands_;
    std::size_t nic_ = 0;
    std::string frame_;  // empty: there is nothing to ask
    std::optional<boot::Probe> probe_;
    bool answered_ = false;
    bool over_ = false;
    bool guest_asks_ = false;
    boost::asio::steady_timer timer_;
};

}  // namespace vml
