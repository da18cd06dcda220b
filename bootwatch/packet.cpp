#include "bootwatch/packet.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>

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
constexpr std::uint8_t protocol_udp = 17;
constexpr std::uint8_t protocol_icmp6 = 58;

constexpr std::size_t longest_text = 1024;

std::string printable(std::string_view bytes) {
    std::string text;
    for (const char c : bytes.substr(0, longest_text)) {
        text += is_printable(static_cast<std::uint8_t>(c)) ? c : '?';
    }
    return text;
}

// A text that some senders end with NULs.
std::string text_option(std::string_view bytes) {
    return printable(bytes.substr(0, bytes.find('\0')));
}

Address v6_at(Bytes bytes, std::size_t offset) {
    Address address{true, {}};
    for (std::size_t i = 0; i < address.bytes.size(); ++i) {
        address.bytes[i] = bytes.u8(offset + i);
    }
    return address;
}

Mac mac_at(Bytes bytes, std::size_t offset) {
    Mac mac{};
    for (std::size_t i = 0; i < mac.size(); ++i) {
        mac[i] = bytes.u8(offset + i);
    }
    return mac;
}

// The options of DHCP, in the field that the header leaves for them.
class DhcpOptions {
  public:
    explicit DhcpOptions(DhcpMessage& message) : message_{message} {}

    void read(Bytes field) {
        constexpr std::uint8_t pad = 0;
        constexpr std::uint8_t end = 255;
        for (std::size_t at = 0; field.u8(at) != end;) {
            if (!field.has(at, 1)) {
                message_.cut = true;
                return;
            }
            const std::uint8_t code = field.u8(at++);
            if (code == pad) {
                continue;
            }
            const std::size_t length = field.u8(at++);
            if (!field.has(at, length)) {
                message_.cut = true;
                return;
            }
            take(code, field.part(at, length));
            at += length;
        }
    }

  private:
    void take(std::uint8_t code, Bytes value) {
        message_.options.push_back(code);
        switch (code) {
            case 3:
                message_.routers = addresses(value);
                break;
            case 6:
                message_.dns_servers = addresses(value);
                break;
            case 17:
                message_.root_path += text_option(value.chars());
                break;
            case 53:
                message_.kind = value.u8(0) <= static_cast<std::uint8_t>(DhcpKind::inform)
                                    ? static_cast<DhcpKind>(value.u8(0))
                                    : DhcpKind::bootp;
                break;
            case 54:
                message_.server_id = Address::v4(value.be32(0));
                break;
            case 56:
                message_.message += text_option(value.chars());
                break;
            case 60:
                message_.vendor_class += text_option(value.chars());
                break;
            case 66:
                message_.server_name = text_option(value.chars());
                break;
            case 67:
                message_.bootfile = text_option(value.chars());
                break;
            case 77:
                message_.user_class += text_option(value.chars());
                break;
            case 93:
                message_.client_arch = value.be16(0);
                break;
            case 175:
                ipxe_options(value);
                break;
            default:
                break;
        }
    }

    static std::vector<Address> addresses(Bytes value) {
        std::vector<Address> all;
        for (std::size_t at = 0; value.has(at, 4); at += 4) {
            all.push_back(Address::v4(value.be32(at)));
        }
        return all;
    }

    // iPXE's own options lie inside option 175 (https://ipxe.org/howto/dhcpd).
    void ipxe_options(Bytes field) {
        constexpr std::uint8_t no_pxedhcp = 176;
        for (std::size_t at = 0; field.has(at, 3); at += 2U + field.u8(at + 1)) {
            if (field.u8(at) == no_pxedhcp) {
                message_.no_proxy_wait = field.u8(at + 2) != 0;
            }
        }
    }

    DhcpMessage& message_;
};

std::optional<PacketBody> dhcp(Bytes payload) {
    constexpr std::size_t header = 240;  // RFC 2131, 2, with the magic cookie
    constexpr std::uint32_t magic_cookie = 0x63825363;
    if (!payload.has(0, header) || payload.be32(236) != magic_cookie) {
        return std::nullopt;
    }
    DhcpMessage message;
    message.from_server = payload.u8(0) == 2;
    message.xid = payload.be32(4);
    message.yours = Address::v4(payload.be32(16));
    message.next_server = Address::v4(payload.be32(20));
    message.chaddr = mac_at(payload, 28);
    DhcpOptions{message}.read(payload.from(header));
    if (message.server_name.empty()) {
        message.server_name = payload.text(44, 64);
    }
    if (message.bootfile.empty()) {
        message.bootfile = payload.text(108, 128);
    }
    return message;
}

std::optional<PacketBody> dhcp6(Bytes payload) {
    enum : std::uint16_t { ia_na = 3, bootfile_url = 59 };
    constexpr std::uint16_t empty_ia = 12;  // RFC 8415, 21.4: without an address inside
    Dhcp6Message message;
    message.kind = payload.u8(0);
    for (std::size_t at = 4; payload.has(at, 4); at += 4U + payload.be16(at + 2)) {
        if (payload.be16(at) == bootfile_url) {
            message.bootfile_url = text_option(payload.part(at + 4, payload.be16(at + 2)).chars());
        } else if (payload.be16(at) == ia_na) {
            message.has_address = payload.be16(at + 2) > empty_ia;
        }
    }
    return message;
}

// The name of a question, which is never compressed (RFC 1035, 4.1.4 allows it only after an earlier one).
std::string dns_name(Bytes payload, std::size_t& at) {
    constexpr std::uint8_t longest_label = 63;
    std::string name;
    while (payload.has(at, 1)) {
        const std::uint8_t length = payload.u8(at++);
        if (length == 0 || length > longest_label || !payload.has(at, length)) {
            break;
        }
        name += (name.empty() ? "" : ".") + printable(payload.part(at, length).chars());
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
        std::uint64_t number = 0;
        // NOLINTNEXTLINE(cppcoreguidelines-pro-bounds-pointer-arithmetic): from_chars takes a range of
        // pointers
        if (std::from_chars(value.data(), value.data() + value.size(), number).ec != std::errc{}) {
            continue;
        }
        if (name == "blksize") {
            options.block_size = number;
        } else if (name == "tsize") {
            options.file_size = number;
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
    return known ? std::optional<PacketBody>{TftpRequest{printable(text.substr(0, end))}} : std::nullopt;
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

// A TFTP server answers from a port of its own choice (RFC 1350, 4), so everything that looks like TFTP and
// is nothing else counts; who follows transfers knows which are meant.
std::optional<PacketBody> udp_payload(const Packet& packet, Bytes payload, std::size_t size) {
    enum : std::uint16_t { dns_port = 53, dhcp_server = 67, dhcp_client = 68, tftp_port = 69 };
    enum : std::uint16_t { dhcp6_client = 546, dhcp6_server = 547, mdns = 5353, proxy_dhcp = 4011 };
    if (is_one_of(packet, dhcp_server) || is_one_of(packet, dhcp_client) || is_one_of(packet, proxy_dhcp)) {
        return dhcp(payload);
    }
    if (is_one_of(packet, dhcp6_client) || is_one_of(packet, dhcp6_server)) {
        return dhcp6(payload);
    }
    if (is_one_of(packet, dns_port)) {
        return dns(payload);
    }
    return is_one_of(packet, mdns) ? std::nullopt : tftp(payload, size);
}

void udp(Packet& packet, Bytes datagram) {
    constexpr std::size_t header = 8;
    packet.from.port = datagram.be16(0);
    packet.to.port = datagram.be16(2);
    const std::size_t length = datagram.be16(4);
    const std::size_t size = length < header ? 0 : length - header;
    packet.body = udp_payload(packet, datagram.part(header, size), size).value_or(OtherFrame{});
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

std::optional<Mac> mac_from_text(std::string_view text) {
    Mac mac{};
    constexpr std::size_t letters = 17;
    if (text.size() != letters) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < mac.size(); ++i) {
        const std::string_view octet = text.substr(3 * i, 2);
        // NOLINTNEXTLINE(cppcoreguidelines-pro-bounds-pointer-arithmetic): from_chars takes a range of
        // pointers
        const char* end = octet.data() + octet.size();
        const auto [stop, error] = std::from_chars(octet.data(), end, mac[i], 16);
        if (error != std::errc{} || stop != end || (i > 0 && text[3 * i - 1] != ':')) {
            return std::nullopt;
        }
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

bool DhcpMessage::has(std::uint8_t option) const {
    return std::find(options.begin(), options.end(), option) != options.end();
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
    } else if (type == type_arp) {
        arp(packet, payload);
    }
    return packet;
}

}  // namespace vml::boot
