#include "netserve/udp_frame.h"

#include <algorithm>
#include <cstddef>

#include "base/bytes.h"
#include "netserve/frame_bytes.h"

namespace vml::serve {

namespace {

using namespace std::string_view_literals;
using namespace std::string_literals;

constexpr std::size_t ethernet_size = 14;
constexpr std::size_t ethernet_type_at = 12;
constexpr std::uint16_t ethernet_ipv4 = 0x0800;
constexpr std::uint16_t ethernet_ipv6 = 0x86DD;
constexpr std::size_t ip4_size = 20;  // without options
constexpr std::size_t ip6_size = 40;
constexpr std::size_t udp_size = 8;
constexpr std::uint8_t protocol_udp = 17;
constexpr std::uint8_t protocol_icmp6 = 58;

template <typename Octets>
std::string chars_of(const Octets& octets) {
    return {octets.begin(), octets.end()};
}

template <typename Octets>
Octets octets_at(Bytes bytes, std::size_t offset) {
    Octets octets{};
    for (std::size_t i = 0; i < octets.size(); ++i) {
        octets.at(i) = bytes.u8(offset + i);
    }
    return octets;
}

template <typename Ip>
std::string ethernet_header(const FrameEnds<Ip>& ends, std::uint16_t type) {
    return chars_of(ends.to_mac) + chars_of(ends.from_mac) + be16(type);
}

template <typename Ip>
std::string udp_header(const FrameEnds<Ip>& ends, std::size_t payload, std::size_t sum) {
    return be16(ends.from_port) + be16(ends.to_port) + be16(udp_size + payload) + be16(sum);
}

// RFC 8200, 8.1; over what has an odd size a zero is thought behind it (RFC 1071).
std::size_t sum_over_ip6(const FrameEnds<Ip6>& ends, std::uint8_t protocol, const std::string& text) {
    std::string all = chars_of(ends.from) + chars_of(ends.to) + "\0\0"s + be16(text.size()) + "\0\0\0"s +
                      static_cast<char>(protocol) + text;
    all.resize(all.size() + all.size() % 2, '\0');
    return checksum(all);
}

std::string ip6_frame(const FrameEnds<Ip6>& ends, std::uint8_t protocol, const std::string& text) {
    constexpr char hop_limit_of_link = '\xFF';  // RFC 4861, 6.1.2
    return ethernet_header(ends, ethernet_ipv6) + "\x60\0\0\0"s + be16(text.size()) +
           static_cast<char>(protocol) + hop_limit_of_link + chars_of(ends.from) + chars_of(ends.to) + text;
}

// From the IP header's end to the end that its length says; nothing when that is not in the frame.
std::optional<Bytes> ip6_payload(Bytes frame, std::uint8_t protocol) {
    constexpr std::size_t length_at = ethernet_size + 4;
    constexpr std::size_t next_header_at = ethernet_size + 6;
    const std::size_t length = frame.be16(length_at);
    const bool fits = frame.be16(ethernet_type_at) == ethernet_ipv6 && frame.u8(ethernet_size) >> 4U == 6 &&
                      frame.u8(next_header_at) == protocol && frame.has(ethernet_size + ip6_size, length);
    return fits ? std::optional{frame.part(ethernet_size + ip6_size, length)} : std::nullopt;
}

FrameEnds<Ip6> ip6_ends(Bytes frame) {
    return {octets_at<Mac>(frame, 0),
            octets_at<Ip6>(frame, ethernet_size + 8),
            octets_at<Ip6>(frame, ethernet_size + 24),
            0,
            0,
            octets_at<Mac>(frame, 6)};
}

// The ports go into the ends.
template <typename Ip>
std::optional<ReadFrame<Ip>> udp_in(FrameEnds<Ip> ends, Bytes datagram) {
    const std::size_t length = datagram.be16(4);
    if (length < udp_size || !datagram.has(0, length)) {
        return std::nullopt;
    }
    ends.from_port = datagram.be16(0);
    ends.to_port = datagram.be16(2);
    return ReadFrame<Ip>{ends, datagram.part(udp_size, length - udp_size).chars()};
}

}  // namespace

std::string udp_frame(const FrameEnds<Ip4>& ends, std::string_view payload) {
    const auto ip = [&](std::size_t sum) {  // RFC 791, 3.1
        return "\x45\0"s + be16(ip4_size + udp_size + payload.size()) + "\0\0\0\0\x40\x11"s + be16(sum) +
               chars_of(ends.from) + chars_of(ends.to);
    };
    // A checksum of 0 is none (RFC 768).
    return ethernet_header(ends, ethernet_ipv4) + ip(checksum(ip(0))) + udp_header(ends, payload.size(), 0) +
           std::string{payload};
}

std::string udp_frame(const FrameEnds<Ip6>& ends, std::string_view payload) {
    constexpr std::size_t instead_of_zero = 0xFFFF;  // RFC 8200, 8.1
    const std::string text{payload};
    const std::size_t sum = sum_over_ip6(ends, protocol_udp, udp_header(ends, payload.size(), 0) + text);
    return ip6_frame(ends, protocol_udp,
                     udp_header(ends, payload.size(), sum == 0 ? instead_of_zero : sum) + text);
}

std::string icmp6_frame(const FrameEnds<Ip6>& ends, std::string message) {
    message.replace(2, 2, "\0\0"sv);
    message.replace(2, 2, be16(sum_over_ip6(ends, protocol_icmp6, message)));
    return ip6_frame(ends, protocol_icmp6, message);
}

std::optional<ReadFrame<Ip4>> read_udp4(std::string_view frame) {
    constexpr std::size_t protocol_at = ethernet_size + 9;
    constexpr std::uint16_t fragment_bits = 0x3FFF;  // "more fragments", and the offset
    const Bytes bytes = bytes_of(frame);
    const std::size_t header = (bytes.u8(ethernet_size) & 0xFU) * std::size_t{4};
    const std::size_t length = bytes.be16(ethernet_size + 2);
    if (bytes.be16(ethernet_type_at) != ethernet_ipv4 || bytes.u8(ethernet_size) >> 4U != 4 ||
        header < ip4_size || length < header || !bytes.has(ethernet_size, length) ||
        bytes.u8(protocol_at) != protocol_udp || (bytes.be16(ethernet_size + 6) & fragment_bits) != 0) {
        return std::nullopt;
    }
    return udp_in<Ip4>({octets_at<Mac>(bytes, 0), octets_at<Ip4>(bytes, ethernet_size + 12),
                        octets_at<Ip4>(bytes, ethernet_size + 16), 0, 0, octets_at<Mac>(bytes, 6)},
                       bytes.part(ethernet_size + header, length - header));
}

std::optional<ReadFrame<Ip6>> read_udp6(std::string_view frame) {
    const auto datagram = ip6_payload(bytes_of(frame), protocol_udp);
    return datagram ? udp_in<Ip6>(ip6_ends(bytes_of(frame)), *datagram) : std::nullopt;
}

std::optional<ReadFrame<Ip6>> read_icmp6(std::string_view frame) {
    const auto message = ip6_payload(bytes_of(frame), protocol_icmp6);
    return message ? std::optional{ReadFrame<Ip6>{ip6_ends(bytes_of(frame)), message->chars()}}
                   : std::nullopt;
}

}  // namespace vml::serve
