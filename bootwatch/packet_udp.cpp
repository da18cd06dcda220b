// DNS, TFTP, and which datagram is which.
#include <algorithm>

#include "base/boot_server_port.h"
#include "base/text.h"
#include "bootwatch/packet_parts.h"

namespace vml::boot {

namespace {

// The name of a question, which is never compressed (RFC 1035, 4.1.4 allows it only after an earlier one).
std::string dns_name(Bytes payload, std::size_t& at) {
    constexpr std::uint8_t longest_label = 63;
    constexpr std::size_t longest_name = 255;  // RFC 1035, 2.3.4
    std::string name;
    while (payload.has(at, 1)) {
        const std::uint8_t length = payload.u8(at++);
        if (length == 0 || length > longest_label || !payload.has(at, length) ||
            name.size() + length > longest_name) {
            break;
        }
        name += (name.empty() ? "" : ".") + printable_text(payload.part(at, length).chars());
        at += length;
    }
    return name;
}

std::optional<PacketBody> dns(Bytes payload) {
    constexpr std::size_t header = 12;
    if (!payload.has(0, header) || payload.be16(4) == 0) {
        return std::nullopt;
    }
    DnsMessage message;
    message.id = payload.be16(0);
    message.response = (payload.u8(2) & 0x80U) != 0;
    message.rcode = payload.u8(3) & 0x0FU;
    message.answers = payload.be16(6);
    std::size_t at = header;
    message.name = dns_name(payload, at);
    message.type = payload.be16(at);
    return message;
}

// "blksize\0" "1432\0" …
TftpOptions tftp_options(std::string_view text) {
    TftpOptions options;
    const auto word = [&text] {
        const std::size_t end = std::min(text.find('\0'), text.size());
        const std::string_view found = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        return found;
    };
    while (!text.empty()) {
        const std::string_view name = word();
        const std::string_view value = word();
        const auto number = leading_number<std::uint64_t>(value);
        if (number && name == "blksize") {
            options.block_size = *number;
        } else if (number && name == "tsize") {
            options.file_size = *number;
        }
    }
    return options;
}

// "pxelinux.0\0" "octet\0" …: without a mode it is something else that begins with the same two bytes.
std::optional<PacketBody> tftp_request(std::string_view text) {
    const std::size_t end = text.find('\0');
    if (end == std::string_view::npos || end == 0) {
        return std::nullopt;
    }
    const std::string_view mode = text.substr(end + 1, text.substr(end + 1).find('\0'));
    const bool known = mode == "octet" || mode == "netascii" || mode == "OCTET" || mode == "NETASCII";
    return known ? std::optional<PacketBody>{TftpRequest{printable_text(text.substr(0, end))}} : std::nullopt;
}

std::optional<PacketBody> tftp(Bytes payload, std::size_t size) {
    enum : std::uint16_t { request = 1, data = 3, ack = 4, error = 5, oack = 6 };
    switch (payload.be16(0)) {
        case request:
            return tftp_request(payload.from(2).chars());
        case data:
            return TftpData{payload.be16(2), size < 4 ? 0 : size - 4, payload.from(4).chars()};
        case ack:
            return TftpAck{payload.be16(2)};
        case error:
            return TftpError{payload.be16(2), payload.text(4, longest_text)};
        case oack:
            return TftpOptions{tftp_options(payload.from(2).chars())};
        default:
            return std::nullopt;
    }
}

bool is_one_of(const Packet& packet, std::uint16_t port) {
    return packet.from.port == port || packet.to.port == port;
}

}  // namespace

// A TFTP server answers from a port of its own choice (RFC 1350, 4), so everything that looks like TFTP and
// is nothing else counts; who follows transfers knows which are meant.
std::optional<PacketBody> decode_udp(const Packet& packet, Bytes payload, std::size_t size) {
    enum : std::uint16_t { dns_port = 53, dhcp_server = 67, dhcp_client = 68, tftp_port = 69 };
    enum : std::uint16_t { dhcp6_client = 546, dhcp6_server = 547, mdns = 5353 };
    if (is_one_of(packet, dhcp_server) || is_one_of(packet, dhcp_client) ||
        is_one_of(packet, boot_server_port)) {
        return decode_dhcp(payload);
    }
    if (is_one_of(packet, dhcp6_client) || is_one_of(packet, dhcp6_server)) {
        return decode_dhcp6(payload);
    }
    if (is_one_of(packet, dns_port)) {
        return dns(payload);
    }
    return is_one_of(packet, mdns) ? std::nullopt : tftp(payload, size);
}

}  // namespace vml::boot
