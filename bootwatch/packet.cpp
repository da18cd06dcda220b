#include "bootwatch/packet.h"

#include <charconv>
#include <utility>

#include <arpa/inet.h>

#include "bootwatch/packet_parts.h"

namespace vml::boot {

namespace {

constexpr std::uint16_t type_ipv4 = 0x0800;
constexpr std::uint16_t type_arp = 0x0806;
constexpr std::uint16_t type_ipv6 = 0x86DD;
constexpr std::uint16_t type_vlan = 0x8100;
constexpr std::uint16_t type_service_vlan = 0x88A8;
constexpr std::size_t ethernet_header = 14;

constexpr std::uint8_t protocol_icmp = 1;
constexpr std::uint8_t protocol_tcp = 6;

Address v6_at(Bytes bytes, std::size_t offset) {
    Address address{true, {}};
    for (std::size_t i = 0; i < address.bytes.size(); ++i) {
        address.bytes[i] = bytes.u8(offset + i);
    }
    return address;
}

void udp(Packet& packet, Bytes datagram) {
    constexpr std::size_t header = 8;
    packet.from.port = datagram.be16(0);
    packet.to.port = datagram.be16(2);
    const std::size_t length = datagram.be16(4);
    const std::size_t size = length < header ? 0 : length - header;
    packet.body = decode_udp(packet, datagram.part(header, size), size).value_or(OtherFrame{});
}

void tcp(Packet& packet, Bytes segment, std::size_t size) {
    enum : std::uint8_t { fin = 1, syn = 2, rst = 4, ack = 16 };
    packet.from.port = segment.be16(0);
    packet.to.port = segment.be16(2);
    const std::size_t header = std::size_t{4} * (segment.u8(12) >> 4U);
    const std::uint8_t flags = segment.u8(13);
    TcpSegment tcp;
    tcp.sequence = segment.be32(4);
    tcp.syn = (flags & syn) != 0;
    tcp.ack = (flags & ack) != 0;
    tcp.fin = (flags & fin) != 0;
    tcp.rst = (flags & rst) != 0;
    tcp.size = size < header ? 0 : size - header;
    tcp.head = segment.part(header, tcp.size).chars();
    packet.body = tcp;
}

void icmp(Packet& packet, Bytes message) {
    constexpr std::uint8_t unreachable = 3;
    if (message.u8(0) != unreachable) {
        return;
    }
    const Bytes quoted = message.from(8);
    const std::size_t header = std::size_t{4} * (quoted.u8(0) & 0x0FU);
    packet.body = Unreachable{message.u8(1),
                              quoted.u8(9) == protocol_udp,
                              {Address::v4(quoted.be32(12)), quoted.be16(header)},
                              {Address::v4(quoted.be32(16)), quoted.be16(header + 2)}};
}

void icmp6(Packet& packet, Bytes message) {
    enum : std::uint8_t { solicitation = 133, advertisement = 134 };
    if (message.u8(0) == solicitation) {
        packet.body = RouterSolicitation{};
    } else if (message.u8(0) == advertisement) {
        const std::uint8_t flags = message.u8(5);
        packet.body = RouterAdvertisement{message.be16(6), (flags & 0x80U) != 0, (flags & 0x40U) != 0};
    }
}

// What both versions of IP carry; `size` is the payload's on the wire, of which less may have been captured.
void transport(Packet& packet, std::uint8_t protocol, Bytes payload, std::size_t size) {
    if (protocol == protocol_udp) {
        udp(packet, payload);
    } else if (protocol == protocol_tcp) {
        tcp(packet, payload, size);
    }
}

void ipv4(Packet& packet, Bytes datagram) {
    const std::size_t header = std::size_t{4} * (datagram.u8(0) & 0x0FU);
    const std::size_t length = datagram.be16(2);
    const bool later_fragment = (datagram.be16(6) & 0x1FFFU) != 0;
    packet.from.address = Address::v4(datagram.be32(12));
    packet.to.address = Address::v4(datagram.be32(16));
    if (later_fragment || length < header || header < 20) {
        return;
    }
    const std::size_t size = length - header;
    const Bytes payload = datagram.part(header, size);
    const std::uint8_t protocol = datagram.u8(9);
    if (protocol == protocol_icmp) {
        icmp(packet, payload);
    } else {
        transport(packet, protocol, payload, size);
    }
}

// What firmware and iPXE send has no extension headers, but for multicast listener reports, which do not
// matter.
void ipv6(Packet& packet, Bytes datagram) {
    constexpr std::size_t header = 40;
    const std::size_t size = datagram.be16(4);
    packet.from.address = v6_at(datagram, 8);
    packet.to.address = v6_at(datagram, 24);
    const Bytes payload = datagram.part(header, size);
    const std::uint8_t protocol = datagram.u8(6);
    packet.ipv6_routing = shows_ipv6_routing(protocol, datagram.from(header));
    if (protocol == protocol_icmp6) {
        icmp6(packet, payload);
    } else {
        transport(packet, protocol, payload, size);
    }
}

void arp(Packet& packet, Bytes message) {
    constexpr std::uint16_t request = 1;
    packet.body =
        ArpMessage{message.be16(6) == request, Address::v4(message.be32(14)), Address::v4(message.be32(24))};
}

}  // namespace

std::string printable_text(std::string_view bytes) {
    std::string text;
    for (const char c : bytes.substr(0, longest_text)) {
        text += is_printable(static_cast<std::uint8_t>(c)) ? c : '?';
    }
    return text;
}

std::string text_option(std::string_view bytes) {
    return printable_text(bytes.substr(0, bytes.find('\0')));
}

Mac mac_at(Bytes bytes, std::size_t offset) {
    Mac mac{};
    for (std::size_t i = 0; i < mac.size(); ++i) {
        mac[i] = bytes.u8(offset + i);
    }
    return mac;
}

Address Address::v4(std::uint32_t value) {
    Address address;
    for (std::size_t i = 0; i < 4; ++i) {
        address.bytes[i] = static_cast<std::uint8_t>(value >> (24U - 8U * i));
    }
    return address;
}

std::string to_string(const Address& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(address.v6 ? AF_INET6 : AF_INET, address.bytes.data(), text.data(), text.size());
    return text.data();
}

std::optional<Packet> decode_frame(Bytes captured) {
    if (!captured.has(0, ethernet_header)) {
        return std::nullopt;
    }
    Packet packet;
    packet.target = mac_at(captured, 0);
    packet.source = mac_at(captured, 6);
    std::size_t at = ethernet_header;
    std::uint16_t type = captured.be16(at - 2);
    while (type == type_vlan || type == type_service_vlan) {
        at += 4;
        type = captured.be16(at - 2);
        if (!captured.has(0, at)) {
            return packet;
        }
    }
    const Bytes payload = captured.from(at);
    if (type == type_ipv4) {
        ipv4(packet, payload);
    } else if (type == type_ipv6) {
        ipv6(packet, payload);
        packet.ipv6_routing =
            packet.ipv6_routing && at == ethernet_header;  // a tagged one is another segment's
    } else if (type == type_arp) {
        arp(packet, payload);
    }
    return packet;
}

}  // namespace vml::boot
