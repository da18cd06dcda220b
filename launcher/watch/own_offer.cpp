#include "launcher/watch/own_offer.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <variant>

#include <fmt/format.h>

namespace vml {

OwnOffer::OwnOffer(std::optional<OwnService> service, const std::vector<boot::WatchedNic>& watched)
    : service_{std::move(service)} {
    const auto found = std::find_if(watched.begin(), watched.end(), [&](const boot::WatchedNic& nic) {
        return service_ && nic.id == service_->nic;
    });
    if (found != watched.end()) {
        nic_ = static_cast<std::size_t>(found - watched.begin());
        mac_ = found->mac;
    }
}

std::string OwnOffer::text() const {
    if (!service_) {
        return {};
    }
    return made_ ? service_->told
                 : fmt::format(
                       "{}'s iPXE looked for no address, so that nothing of vm-launch's was offered to it",
                       service_->nic);
}

std::optional<serve::ProxyOffer> OwnOffer::due(std::size_t nic, const boot::Packet& packet,
                                               const boot::Boot& boot) const {
    const auto* search = std::get_if<boot::DhcpMessage>(&packet.body);
    if (nic != nic_ || search == nullptr || search->kind != boot::DhcpKind::discover || search->from_server ||
        search->chaddr != mac_ || !packet.sent_by(mac_) || !boot::is_ipxes_turn(boot, service_->nic)) {
        return std::nullopt;
    }
    return serve::ProxyOffer{search->xid,
                             mac_,
                             service_->address,
                             service_->bootfile,
                             std::numeric_limits<std::int8_t>::max(),
                             service_->options};
}

}  // namespace vml
