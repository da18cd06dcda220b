#include "netserve/proxy_offer.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "netserve/frame_bytes.h"

namespace vml::serve {

namespace {

using namespace std::string_view_literals;
using namespace std::string_literals;

constexpr std::uint16_t dhcp_server_port = 67;
constexpr std::uint16_t dhcp_client_port = 68;
// RFC 951: what a relay of old passes on.
constexpr std::size_t least_bootp_size = 300;
// RFC 2131, 2
constexpr std::size_t header_room_for_hardware = 16;
constexpr std::size_t header_room_for_server_name = 64;
constexpr std::size_t header_room_for_file = 128;

std::string option(char code, std::string_view value) {
    return std::string{code, static_cast<char>(value.size())}.append(value);
}

std::string padded(std::string text, std::size_t size) {
    text.resize(size, '\0');
    return text;
}

bool has_own(const ProxyOffer& offer, char code) {
    return std::any_of(offer.options.begin(), offer.options.end(), [&](const OfferOption& own) {
        return !own.of_ipxe && own.code == static_cast<std::uint8_t>(code);
    });
}

// iPXE's own ones are options inside of one option.
std::string own_options(const ProxyOffer& offer) {
    std::string text;
    std::string inside =
        offer.priority ? option('\x01', std::string(1, static_cast<char>(*offer.priority))) : "";
    for (const OfferOption& own : offer.options) {
        (own.of_ipxe ? inside : text) += option(static_cast<char>(own.code), own.value);
    }
    return text + (inside.empty() ? "" : option('\xAF', inside));
}

// RFC 2131, 2 and RFC 2132. Option 43 has PXE's discovery control (6): the file is the one named here,
// nothing is to be discovered (PXE specification 2.1, table 2-1).
std::string message(const ProxyOffer& offer) {
    const std::string mac{offer.client.begin(), offer.client.end()};
    const std::string server{offer.server.begin(), offer.server.end()};
    const Ipv4 asked = offer.answers ? offer.answers->from.address : offer.server;
    const Ipv4 known = offer.answers ? offer.answers->to.address : Ipv4{};
    const bool fits = offer.bootfile.size() < header_room_for_file;
    std::string text = "\x02\x01\x06\0"s + be32(offer.xid);   // BOOTREPLY, Ethernet, 6 bytes, no relay
    text += "\0\0"s + (offer.answers ? "\0\0"s : "\x80\0"s);  // seconds, to everybody
    text += std::string{known.begin(), known.end()} + std::string(4, '\0');  // ciaddr, yiaddr
    text += server + std::string(4, '\0');                                   // siaddr, giaddr
    text += padded(mac, header_room_for_hardware) + std::string(header_room_for_server_name, '\0');
    text += padded(fits ? offer.bootfile : "", header_room_for_file);
    text += "\x63\x82\x53\x63"s;                                  // the options' cookie
    text += option('\x35', offer.answers ? "\x05"sv : "\x02"sv);  // ACK or offer
    text += option('\x36', std::string{asked.begin(), asked.end()});
    text += option('\x3C', offer.vendor_class);
    text += !offer.discovery || has_own(offer, '\x2B') ? "" : option('\x2B', "\x06\x01\x08\xFF"sv);
    text += fits || has_own(offer, '\x43') ? "" : option('\x43', offer.bootfile);
    text += own_options(offer);
    text += '\xFF';
    return text.size() < least_bootp_size ? padded(text, least_bootp_size) : text;
}

}  // namespace

std::string proxy_offer(const ProxyOffer& offer) {
    if (offer.answers) {
        return udp_frame(offer.client, offer.answers->from, offer.answers->to, message(offer));
    }
    return udp_frame(everybody_mac, {offer.server, dhcp_server_port}, {everybody, dhcp_client_port},
                     message(offer));
}

}  // namespace vml::serve
