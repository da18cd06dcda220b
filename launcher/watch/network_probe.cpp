#include "launcher/watch/network_probe.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include <boost/system/error_code.hpp>

#include "netsetup/tap_device.h"

namespace vml {

namespace {

// It is asked again so long after the first time; and so long after the last time nobody answers any
// more. dnsmasq answers after 3 s where it looks first whether somebody has the address (PING_WAIT of its
// src/config.h), ISC's server after 1 s.
constexpr double probe_second_s = 1;
constexpr double probe_third_s = 3;
constexpr double probe_last_s = 4;
// Others answer within so long after the first: iPXE waits no longer (src/config/dhcp.h,
// DHCP_DISC_PROXY_TIMEOUT_SEC).
constexpr double probe_others_s = 3;

}  // namespace

NetworkProbe::NetworkProbe(boost::asio::io_context& io, const std::optional<ProbeQuestion>& question,
                           std::vector<WireTap>& taps, Hands hands)
    : hands_{std::move(hands)}, timer_{io} {
    const auto found = std::find_if(taps.begin(), taps.end(), [&](const WireTap& tap) {
        return question && tap.nic == question->nic && tap.filter.empty();
    });
    if (found == taps.end()) {
        return;
    }
    serve::Discover discover = question->discover;
    discover.xid = serve::probe_xid(
        static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()));
    frame_ = serve::discover(discover);
    if (const auto packet = boot::decode_frame(bytes_of(frame_))) {
        nic_ = static_cast<std::size_t>(found - taps.begin());
        probe_ = boot::Probe{found->nic, std::get<boot::DhcpMessage>(packet->body)};
    }
    if (found->alone) {
        guest_end_ = std::move(found->guest_end);
    }
}

void NetworkProbe::begin() {
    if (probe_ && probe_->sent == 0 && !over_) {
        send();
    }
}

bool NetworkProbe::takes(std::size_t nic, const boot::Packet& packet) {
    if (!probe_ || nic != nic_) {
        return false;
    }
    if (!boot::belongs_to(*probe_, packet)) {
        guest_asks_ = guest_asks_ || (packet.sent_by(probe_->question.chaddr) &&
                                      std::holds_alternative<boot::DhcpMessage>(packet.body));
        return false;
    }
    if (!over_ && boot::add_answer(*probe_, hands_.now(), packet)) {
        hands_.news(*probe_);
        if (!std::exchange(answered_, true)) {
            wait(probe_others_s);
        }
    }
    return true;
}

// What a packet socket on a tap sends would go to the guest.
bool NetworkProbe::send_frame() {
    return guest_end_ ? *guest_end_ && net::write_as_guest(guest_end_->get(), frame_)
                      : hands_.send(nic_, frame_);
}

// What the guest finds out by itself is not asked for once more.
void NetworkProbe::send() {
    if (guest_asks_ || !send_frame()) {
        end();
        return;
    }
    probe_->began = probe_->sent++ == 0 ? hands_.now() : probe_->began;
    hands_.news(*probe_);
    wait(probe_->sent == 1   ? probe_second_s
         : probe_->sent == 2 ? probe_third_s - probe_second_s
                             : probe_last_s);
}

void NetworkProbe::wait(double seconds) {
    timer_.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(
        std::chrono::duration<double>{seconds}));
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
            due();
        }
    });
}

void NetworkProbe::due() {
    constexpr unsigned most = 3;
    if (answered_ || probe_->sent >= most) {
        end();
    } else {
        send();
    }
}

void NetworkProbe::end() {
    timer_.cancel();
    guest_end_.reset();
    if (!std::exchange(over_, true) && probe_) {
        hands_.over(*probe_);
    }
}

}  // namespace vml
