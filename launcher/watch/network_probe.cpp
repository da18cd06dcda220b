#include "launcher/watch/network_probe.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include <boost/system/error_code.hpp>

namespace vml {

NetworkProbe::NetworkProbe(boost::asio::io_context& io, const std::optional<ProbeQuestion>& question,
                           const std::vector<boot::WatchedNic>& watched, Hands hands)
    : hands_{std::move(hands)}, timer_{io} {
    const auto found = std::find_if(watched.begin(), watched.end(), [&](const boot::WatchedNic& nic) {
        return question && nic.id == question->nic;
    });
    if (found == watched.end()) {
        return;
    }
    // Another one each time, and not the guest's own.
    serve::Discover discover = question->discover;
    discover.xid = static_cast<std::uint32_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    frame_ = serve::discover(discover);
    if (const auto packet = boot::decode_frame(bytes_of(frame_))) {
        nic_ = static_cast<std::size_t>(found - watched.begin());
        probe_ = boot::Probe{found->id, std::get<boot::DhcpMessage>(packet->body)};
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
        if (boot::has_everything(*probe_)) {
            end();
        } else if (!std::exchange(answered_, true)) {
            wait(others_s);
        }
    }
    return true;
}

// What the guest finds out by itself is not asked for once more.
void NetworkProbe::send() {
    if (guest_asks_ || !hands_.send(nic_, frame_)) {
        end();
        return;
    }
    probe_->began = probe_->sent++ == 0 ? hands_.now() : probe_->began;
    hands_.news(*probe_);
    wait(probe_->sent == 1 ? second_s : probe_->sent == 2 ? third_s - second_s : last_s);
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
    if (!std::exchange(over_, true)) {
        hands_.over(nic_, *probe_);
    }
}

}  // namespace vml
