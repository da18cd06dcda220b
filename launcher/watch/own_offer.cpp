#include "launcher/watch/own_offer.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/boot_server_port.h"

namespace vml {

namespace {

constexpr std::string_view pxe_class = "PXEClient";
constexpr std::string_view http_class = "HTTPClient";

Ip4 ipv4_of(const boot::Address& address) {
    Ip4 ipv4{};
    std::copy_n(address.bytes.begin(), ipv4.size(), ipv4.begin());
    return ipv4;
}

// Whom is asked about the file, beside a search for an address: a boot server at its port (PXE specification
// 2.1, 2.2.4), or by a client that has an address already, whoever answers (RFC 2131, 3.4). Whichever boot
// server is asked, it is vm-launch that answers: the question goes no further than the guest's link
// (net::KeepDatagrams).
bool asks_again(const boot::Packet& packet, const boot::DhcpMessage& message, const Ip4& us) {
    if (packet.to.port == boot_server_port) {
        return message.kind != boot::DhcpKind::bootp;
    }
    const Ip4 to = ipv4_of(packet.to.address);
    return message.kind == boot::DhcpKind::inform && (to == us || to == serve::everybody);
}

// A group's address sends nothing (RFC 1112, 4).
bool is_for_many(const Ip4& address) {
    constexpr std::uint8_t first_group = 224;  // and the broadcast address lies behind the groups
    return address[0] >= first_group;
}

// None where it is not said whom to answer. Else from whom was asked, or from us where many were.
std::vector<serve::ProxyOffer> answers_to(const boot::Packet& packet, serve::ProxyOffer offer,
                                          const Ip4& us) {
    if (packet.from.address.is_zero()) {
        return {};
    }
    const Ip4 asked = ipv4_of(packet.to.address);
    offer.answers = {{ipv4_of(packet.from.address), packet.from.port},
                     {is_for_many(asked) ? us : asked, packet.to.port}};
    return {std::move(offer)};
}

}  // namespace

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
    if (made_) {
        return service_->told;
    }
    const std::string_view client = service_->firmware ? "firmware" : "iPXE";
    return failed_ ? fmt::format("{}'s {} was offered nothing of vm-launch's: its link took no such frame",
                                 service_->nic, client)
                   : fmt::format(
                         "{}'s {} looked for no address, so that nothing of vm-launch's was offered to it",
                         service_->nic, client);
}

std::vector<serve::ProxyOffer> OwnOffer::due(std::size_t nic, const boot::Packet& packet,
                                             const boot::Boot& boot) const {
    const auto* message = std::get_if<boot::DhcpMessage>(&packet.body);
    if (nic != nic_ || message == nullptr || message->from_server || message->chaddr != mac_ ||
        !packet.sent_by(mac_) || boot.dhcp.empty() || boot.dhcp.back().nic != service_->nic) {
        return {};
    }
    auto offer = offer_to(boot.dhcp.back().client, *message);
    if (!offer) {
        return {};
    }
    if (packet.to.port == boot_server_port && (!service_->firmware || service_->firmware->by_http)) {
        return {};  // nothing keeps it from whoever is asked
    }
    if (asks_again(packet, *message, service_->address)) {
        return answers_to(packet, *std::move(offer), service_->address);
    }
    if (message->kind != boot::DhcpKind::discover || packet.to.port == boot_server_port) {
        return {};
    }
    std::vector<serve::ProxyOffer> offers{*offer};
    if (offer->vendor_class == pxe_class && boot.dhcp.back().client == boot::Client::firmware &&
        !service_->in_user_mode) {
        offers.push_back(*std::move(offer));
        offers.back().discovery = false;
    }
    return offers;
}

std::optional<serve::ProxyOffer> OwnOffer::offer_to(boot::Client client,
                                                    const boot::DhcpMessage& asked) const {
    serve::ProxyOffer offer{asked.xid, mac_, service_->address, {}, {}, {}};
    if (client == boot::Client::ipxe && !service_->bootfile.empty()) {
        offer.bootfile = service_->bootfile;
        offer.priority = std::numeric_limits<std::int8_t>::max();
        offer.options = service_->options;
        return offer;
    }
    const std::optional<FirmwareFile>& firmware = service_->firmware;
    if (client != boot::Client::firmware || !firmware ||
        !asked.vendor_class.starts_with(firmware->by_http ? http_class : pxe_class)) {
        return std::nullopt;
    }
    offer.bootfile = firmware->file;
    offer.vendor_class = firmware->by_http ? http_class : pxe_class;
    offer.discovery = !firmware->by_http;
    offer.options = firmware->options;
    return offer;
}

}  // namespace vml
