#include "launcher/watch/guest_connections.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace vml {

namespace {

net::TcpTarget of_endpoint(const boot::Endpoint& endpoint) {
    net::TcpTarget target{{}, endpoint.port};
    std::copy_n(endpoint.address.bytes.begin(), target.address.size(), target.address.begin());
    return target;
}

}  // namespace

GuestConnections::GuestConnections(OwnedFd view, const Mac& guest) : view_{std::move(view)}, guest_{guest} {}

void GuestConnections::look() {
    std::array<char, net::capture_length> room{};
    for (std::size_t turn = 0; turn < most; ++turn) {
        const auto frame = net::read_frame(view_.get(), room);
        if (frame.count < 0) {
            break;
        }
        if (auto packet =
                boot::decode_frame(bytes_of({room.data(), static_cast<std::size_t>(frame.count)}))) {
            note(*packet);
        }
    }
    std::erase_if(opened_,
                  [oldest = Clock::now() - longest](const Opened& opened) { return opened.at < oldest; });
}

bool GuestConnections::take(const net::TcpTarget& from) {
    look();
    return std::erase_if(opened_, [&](const Opened& opened) { return opened.from == from; }) > 0;
}

serve::Stranger all_but_guest(OwnedFd view, const Mac& guest) {
    // A std::function is copied.
    const auto connections = std::make_shared<GuestConnections>(std::move(view), guest);
    return [connections](const serve::Connection& connection) -> std::optional<std::string> {
        if (connections->take({connection.peer, connection.peer_port})) {
            return std::nullopt;
        }
        return "the guest has not opened it";
    };
}

void GuestConnections::note(const boot::Packet& packet) {
    if (!packet.sent_by(guest_) || !std::holds_alternative<boot::TcpSegment>(packet.body)) {
        return;
    }
    opened_.push_back({of_endpoint(packet.from), Clock::now()});
    if (opened_.size() > most) {
        opened_.pop_front();
    }
}

}  // namespace vml
