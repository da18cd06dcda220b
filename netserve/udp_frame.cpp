#include "netserve/udp_frame.h"

#include <algorithm>
#include <cstddef>

#include "netserve/frame_bytes.h"

namespace vml::serve {

namespace {

using namespace std::string_literals;

constexpr std::size_t ethernet_header_size = 14;
constexpr std::size_t least_ip_header_size = 20;
constexpr std::size_t udp_header_size = 8;
constexpr std::uint16_t ipv4_type = 0x0800;
constexpr std::uint8_t udp_protocol = 17;
constexpr char time_to_live = 64;

Ipv4 address_at(Bytes bytes, std::size_t offset) {
    return {bytes.u8(offset), bytes.u8(offset + 1), bytes.u8(offset + 2), bytes.u8(offset + 3)};
}

std::string text_of(const Ipv4& address) {
    return {address.begin(), address.end()};
}

// RFC 791, 3.1: version and length, type of service, length, identification, fragment, time to live, UDP.
std::string ip_header(std::size_t size, std::size_t sum, const Ipv4& from, const Ipv4& to) {
    return "\x45\0"s + be16(size) + "\0\0\0\0"s + time_to_live + static_cast<char>(udp_protocol) + be16(sum) +
           text_of(from) + text_of(to);
}

}  // namespace

std::optional<Datagram> datagram_in(Bytes frame) {
    if (frame.be16(12) != ipv4_type) {
        return std::nullopt;
    }
    const Bytes whole = frame.from(ethernet_header_size);
    constexpr std::uint16_t offset_or_more = 0x3FFF;  // of a fragment
    const std::size_t header_size = std::size_t{whole.u8(0) & 0x0FU} * 4;
    const std::size_t size = whole.be16(2);
    if (whole.u8(0) >> 4U != 4 || header_size < least_ip_header_size || size < header_size ||
        !whole.has(0, size) || (whole.be16(6) & offset_or_more) != 0 || whole.u8(9) != udp_protocol) {
        return std::nullopt;
    }
    const Bytes udp = whole.part(header_size, size - header_size);
    const std::size_t udp_size = udp.be16(4);
    if (!udp.has(0, udp_header_size) || udp_size < udp_header_size || !udp.has(0, udp_size)) {
        return std::nullopt;
    }
    Datagram datagram{{},
                      {address_at(whole, 12), udp.be16(0)},
                      {address_at(whole, 16), udp.be16(2)},
                      udp.part(udp_header_size, udp_size - udp_header_size).chars()};
    for (std::size_t i = 0; i < datagram.sender.size(); ++i) {
        datagram.sender.at(i) = frame.u8(6 + i);
    }
    return datagram;
}

std::string udp_frame(const Mac& to_mac, const UdpEnd& from, const UdpEnd& to, std::string_view payload) {
    const std::string_view sent = payload.substr(0, most_payload);
    const std::size_t udp_size = udp_header_size + sent.size();
    const std::size_t size = least_ip_header_size + udp_size;
    std::string frame{to_mac.begin(), to_mac.end()};
    frame += our_mac;
    frame += be16(ipv4_type);
    frame +=
        ip_header(size, checksum(ip_header(size, 0, from.address, to.address)), from.address, to.address);
    frame += be16(from.port) + be16(to.port) + be16(udp_size) + "\0\0"s;
    return frame += sent;
}

}  // namespace vml::serve
