#include "launcher/watch/offer_repeat.h"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

namespace vml {

namespace {

// A server that gives an address and names a file.
bool is_whole_offer(const boot::DhcpMessage& message) {
    return message.kind == boot::DhcpKind::offer && !message.yours.is_zero() && !message.bootfile.empty();
}

}  // namespace

OfferRepeat::OfferRepeat(const std::vector<std::string>& to, const std::vector<boot::WatchedNic>& watched) {
    for (const boot::WatchedNic& nic : watched) {
        nics_.push_back({nic.id, nic.mac, std::find(to.begin(), to.end(), nic.id) != to.end()});
    }
}

std::optional<serve::ProxyOffer> OfferRepeat::repeated(std::size_t nic, const boot::Packet& packet,
                                                       const boot::Boot& boot) const {
    const Nic& at = nics_.at(nic);
    const auto* offer = std::get_if<boot::DhcpMessage>(&packet.body);
    if (!at.repeat || offer == nullptr || !is_whole_offer(*offer) || offer->chaddr != at.mac ||
        !boot::is_ipxes_turn(boot, at.id)) {
        return std::nullopt;
    }
    serve::ProxyOffer repeated{offer->xid, at.mac, {}, offer->bootfile};
    std::copy_n(offer->next_server.bytes.begin(), repeated.server.size(), repeated.server.begin());
    return repeated;
}

std::string OfferRepeat::text(std::size_t nic, double at) const {
    return fmt::format(
        "at {:.2f} s QEMU's DHCP offer to {} was repeated as a ProxyDHCP server's, for which iPXE would wait "
        "3 s (--fast-boot=off leaves it)",
        at, nics_.at(nic).id);
}

}  // namespace vml
