// DHCP and DHCPv6.
#include <algorithm>

#include "bootwatch/packet_parts.h"

namespace vml::boot {

namespace {

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
        if (message_.options.size() < most_options) {
            message_.options.push_back(code);
        }
        switch (code) {
            case 17:
                append(message_.root_path, value);
                break;
            case 43:
                pxe_options(value);
                break;
            case 53:
                message_.kind = value.u8(0) <= static_cast<std::uint8_t>(DhcpKind::inform)
                                    ? static_cast<DhcpKind>(value.u8(0))
                                    : DhcpKind::bootp;
                break;
            case 56:
                append(message_.message, value);
                break;
            case 60:
                append(message_.vendor_class, value);
                break;
            case 66:
                message_.server_name = text_option(value.chars());
                break;
            case 67:
                message_.bootfile = text_option(value.chars());
                break;
            case 77:
                append(message_.user_class, value);
                break;
            case 93:
                message_.client_arch = value.be16(0);
                break;
            case 175:
                ipxe_options(value);
                break;
            default:
                take_addresses(code, value);
                break;
        }
    }

    void take_addresses(std::uint8_t code, Bytes value) {
        switch (code) {
            case 3:
                message_.routers = addresses(value);
                break;
            case 6:
                message_.dns_servers = addresses(value);
                break;
            case 50:
                message_.requested = Address::v4(value.be32(0));
                break;
            case 54:
                message_.server_id = Address::v4(value.be32(0));
                break;
            default:
                break;
        }
    }

    static constexpr std::size_t most_options = 128;  // a real message has thirty

    // An option that comes in several pieces (RFC 3396).
    static void append(std::string& text, Bytes value) {
        text = (text + text_option(value.chars())).substr(0, longest_text);
    }

    static std::vector<Address> addresses(Bytes value) {
        std::vector<Address> all;
        for (std::size_t at = 0; value.has(at, 4); at += 4) {
            all.push_back(Address::v4(value.be32(at)));
        }
        return all;
    }

    // Of several options 43 edk2 reads the first (PxeBcParseDhcp4Options).
    void pxe_options(Bytes field) {
        enum : std::uint8_t { pad = 0, control = 6, prompt = 10, end = 255 };
        if (std::count(message_.options.begin(), message_.options.end(), 43) > 1) {
            return;
        }
        for (std::size_t at = 0; field.has(at, 1) && field.u8(at) != end;) {
            const std::uint8_t code = field.u8(at++);
            if (code == pad) {
                continue;
            }
            if (code >= control && code <= prompt && !message_.discovery) {
                message_.discovery.emplace();
            }
            if (code == control && field.u8(at) > 0) {
                message_.discovery->control = field.u8(at + 1);
            }
            at += 1U + field.u8(at);
        }
    }

    // iPXE's own options lie inside option 175 (https://ipxe.org/howto/dhcpd).
    void ipxe_options(Bytes field) {
        enum : std::uint8_t { priority = 1, no_pxedhcp = 176 };
        for (std::size_t at = 0; field.has(at, 3); at += 2U + field.u8(at + 1)) {
            if (field.u8(at) == no_pxedhcp) {
                message_.no_proxy_wait = field.u8(at + 2) != 0;
            } else if (field.u8(at) == priority) {
                message_.ipxe_priority = static_cast<std::int8_t>(field.u8(at + 2));
            }
        }
    }

    DhcpMessage& message_;
};

}  // namespace

std::optional<PacketBody> decode_dhcp(Bytes payload) {
    constexpr std::size_t header = 240;  // RFC 2131, 2, with the magic cookie
    constexpr std::uint32_t magic_cookie = 0x63825363;
    if (!payload.has(0, header) || payload.be32(236) != magic_cookie) {
        return std::nullopt;
    }
    DhcpMessage message;
    message.from_server = payload.u8(0) == 2;
    message.xid = payload.be32(4);
    message.broadcast = (payload.be16(10) & 0x8000U) != 0;
    message.yours = Address::v4(payload.be32(16));
    message.next_server = Address::v4(payload.be32(20));
    message.relay = Address::v4(payload.be32(24));
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

std::optional<PacketBody> decode_dhcp6(Bytes payload) {
    enum : std::uint16_t { ia_na = 3, user_class = 15, bootfile_url = 59, client_arch = 61 };
    constexpr std::uint16_t empty_ia = 12;  // RFC 8415, 21.4: without an address inside
    Dhcp6Message message;
    message.kind = payload.u8(0);
    for (std::size_t at = 4; payload.has(at, 4); at += 4U + payload.be16(at + 2)) {
        if (payload.be16(at) == bootfile_url) {
            message.bootfile_url = text_option(payload.part(at + 4, payload.be16(at + 2)).chars());
        } else if (payload.be16(at) == ia_na) {
            message.has_address = payload.be16(at + 2) > empty_ia;
        } else if (payload.be16(at) == client_arch) {
            message.boots = true;
        } else if (payload.be16(at) == user_class) {
            const std::string_view value = payload.part(at + 4, payload.be16(at + 2)).chars();
            message.ipxe = value.find("iPXE") != std::string_view::npos;
        }
    }
    return message;
}

bool DhcpMessage::has(std::uint8_t option) const {
    return std::find(options.begin(), options.end(), option) != options.end();
}

}  // namespace vml::boot
