#include "netserve/proxy_offer.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "netserve/dhcp_frame.h"
#include "netserve/frame_bytes.h"

namespace vml::serve {

namespace {

using namespace std::string_view_literals;

bool has_own(const ProxyOffer& offer, char code) {
    return std::any_of(offer.options.begin(), offer.options.end(), [&](const OfferOption& own) {
        return !own.of_ipxe && own.code == static_cast<std::uint8_t>(code);
    });
}

// iPXE's own ones are options inside of one option.
std::string own_options(const ProxyOffer& offer) {
    std::string text;
    std::string inside =
        offer.priority ? dhcp_option('\x01', std::string(1, static_cast<char>(*offer.priority))) : "";
    for (const OfferOption& own : offer.options) {
        (own.of_ipxe ? inside : text) += dhcp_option(static_cast<char>(own.code), own.value);
    }
    return text + (inside.empty() ? "" : dhcp_option('\xAF', inside));
}

std::string chars_of_ip(const Ip4& address) {
    return {address.begin(), address.end()};
}

}  // namespace

// RFC 2132. Option 43 has PXE's discovery control (6): the file is the one named here, nothing is to be
// discovered (PXE specification 2.1, table 2-1).
std::string proxy_offer(const ProxyOffer& offer) {
    const bool fits = offer.bootfile.size() < room_for_file;
    const std::optional<ProxyAnswer>& answers = offer.answers;
    std::string text = dhcp_header({'\x02', offer.xid, std::string{offer.client.begin(), offer.client.end()},
                                    chars_of_ip(offer.server), fits ? offer.bootfile : "",
                                    answers ? chars_of_ip(answers->to.address) : ""});
    text += dhcp_option('\x35', answers ? "\x05"sv : "\x02"sv);  // ACK or offer
    text += dhcp_option('\x36', chars_of_ip(answers ? answers->from.address : offer.server));
    text += dhcp_option('\x3C', offer.vendor_class);
    text += !offer.discovery || has_own(offer, '\x2B') ? "" : dhcp_option('\x2B', "\x06\x01\x08\xFF"sv);
    text += fits || has_own(offer, '\x43') ? "" : dhcp_option('\x43', offer.bootfile);
    text += own_options(offer);
    return dhcp_frame(answers ? FrameEnds<Ip4>{offer.client, answers->from.address, answers->to.address,
                                               answers->from.port, answers->to.port, our_mac}
                              : FrameEnds<Ip4>{everybody_mac, offer.server, everybody, dhcp_server_port,
                                               dhcp_client_port, our_mac},
                      std::move(text));
}

std::size_t proxy_offer_size(const ProxyOffer& offer) {
    const std::string frame = proxy_offer(offer);
    return read_udp4(frame)->payload.size();
}

}  // namespace vml::serve
