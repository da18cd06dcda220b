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

}  // namespace

// RFC 2132. Option 43 has PXE's discovery control (6): the file is the one named here, nothing is to be
// discovered (PXE specification 2.1, table 2-1).
std::string proxy_offer(const ProxyOffer& offer) {
    const std::string server{offer.server.begin(), offer.server.end()};
    const bool fits = offer.bootfile.size() < room_for_file;
    std::string text = dhcp_header({'\x02', offer.xid, std::string{offer.client.begin(), offer.client.end()},
                                    server, fits ? offer.bootfile : ""});
    text += dhcp_option('\x35', "\x02"sv) + dhcp_option('\x36', server);  // DHCPOFFER, by
    text += dhcp_option('\x3C', "PXEClient"sv);
    text += has_own(offer, '\x2B') ? "" : dhcp_option('\x2B', "\x06\x01\x08\xFF"sv);
    text += fits || has_own(offer, '\x43') ? "" : dhcp_option('\x43', offer.bootfile);
    text += own_options(offer);
    return dhcp_frame({our_mac, server, '\x43', '\x44'}, std::move(text));
}

}  // namespace vml::serve
