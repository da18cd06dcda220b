#include "netserve/proxy_offer.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "netserve/frame_bytes.h"

namespace vml::serve {

namespace {

using namespace std::string_view_literals;
using namespace std::string_literals;

constexpr std::string_view everybody_mac = "\xFF\xFF\xFF\xFF\xFF\xFF"sv;
constexpr std::string_view ipv4_type = "\x08\0"sv;
constexpr std::string_view everybody = "\xFF\xFF\xFF\xFF"sv;
constexpr std::size_t ip_header_size = 20;
constexpr std::size_t udp_header_size = 8;
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

std::string be32(std::uint32_t value) {
    return be16(value >> 16U) + be16(value);
}

// RFC 2131, 2 and RFC 2132. Option 43 has PXE's discovery control (6): the file is the one named here,
// nothing is to be discovered (PXE specification 2.1, table 2-1).
std::string message(const ProxyOffer& offer, std::string_view server) {
    const std::string mac{offer.client.begin(), offer.client.end()};
    const bool fits = offer.bootfile.size() < header_room_for_file;
    std::string text = "\x02\x01\x06\0"s + be32(offer.xid);  // BOOTREPLY, Ethernet, 6 bytes, no relay
    text += "\0\0"s + "\x80\0"s + std::string(4 + 4, '\0');  // seconds, to everybody, ciaddr, yiaddr
    text += std::string{server} + std::string(4, '\0');      // siaddr, giaddr
    text += padded(mac, header_room_for_hardware) + std::string(header_room_for_server_name, '\0');
    text += padded(fits ? offer.bootfile : "", header_room_for_file);
    text += "\x63\x82\x53\x63"s;                                // the options' cookie
    text += option('\x35', "\x02"sv) + option('\x36', server);  // DHCPOFFER, by
    text += option('\x3C', "PXEClient"sv);
    text += has_own(offer, '\x2B') ? "" : option('\x2B', "\x06\x01\x08\xFF"sv);
    text += fits || has_own(offer, '\x43') ? "" : option('\x43', offer.bootfile);
    text += own_options(offer);
    text += '\xFF';
    return text.size() < least_bootp_size ? padded(text, least_bootp_size) : text;
}

// RFC 791, 3.1: version and length, type of service, length, identification, fragment, time to live, UDP.
std::string ip_header(std::size_t size, std::size_t sum, std::string_view server) {
    return "\x45\0"s + be16(size) + "\0\0\0\0\x40\x11"s + be16(sum) + std::string{server} +
           std::string{everybody};
}

}  // namespace

std::string proxy_offer(const ProxyOffer& offer) {
    const std::string server{offer.server.begin(), offer.server.end()};
    const std::string dhcp = message(offer, server);
    const std::size_t udp_size = udp_header_size + dhcp.size();
    const std::size_t size = ip_header_size + udp_size;
    // From port 67 to port 68; a checksum of 0 is none (RFC 768).
    const std::string udp = "\0\x43\0\x44"s + be16(udp_size) + "\0\0"s;
    return std::string{everybody_mac} + std::string{our_mac} + std::string{ipv4_type} +
           ip_header(size, checksum(ip_header(size, 0, server)), server) + udp + dhcp;
}

}  // namespace vml::serve
