// What TLS shows of itself.
#include <algorithm>

#include <fmt/format.h>

#include "bootwatch/fetches.h"

namespace vml::boot {

namespace {

constexpr std::uint16_t https_port = 443;

// Alert descriptions (RFC 8446, B.2).
std::string_view alert_text(std::uint8_t description) {
    switch (description) {
        case 40:
            return "handshake_failure";
        case 42:
            return "bad_certificate";
        case 43:
            return "unsupported_certificate";
        case 44:
            return "certificate_revoked";
        case 45:
            return "certificate_expired";
        case 46:
            return "certificate_unknown";
        case 48:
            return "unknown_ca";
        case 70:
            return "protocol_version";
        case 71:
            return "insufficient_security";
        case 80:
            return "internal_error";
        case 112:
            return "unrecognized_name";
        default:
            return "";
    }
}

// The server's name in a ClientHello's extensions (RFC 6066, 3), if it was captured.
std::string server_name_in(std::string_view hello) {
    const Bytes bytes = bytes_of(hello);
    constexpr std::size_t longest_name = 255;  // RFC 1035, 2.3.4
    constexpr std::size_t fixed_part = 43;     // record 5, handshake 4, version 2, random 32
    std::size_t at = fixed_part;
    at += 1U + bytes.u8(at);    // session id
    at += 2U + bytes.be16(at);  // cipher suites
    at += 1U + bytes.u8(at);    // compression methods
    at += 2;                    // length of the extensions
    for (; bytes.has(at, 4); at += 4U + bytes.be16(at + 2)) {
        if (bytes.be16(at) == 0) {
            return bytes.text(at + 9, std::min<std::size_t>(bytes.be16(at + 7), longest_name));
        }
    }
    return {};
}

}  // namespace

std::optional<std::size_t> Fetches::tls_hello(double at, const Packet& packet, TcpSession& session,
                                              std::string_view head) {
    session.secret = true;
    if (!session.fetch) {
        return std::nullopt;
    }
    asks(session);
    Fetch& fetch = fetches_[*session.fetch];
    const std::string name = server_name_in(head);
    fetch.protocol = "https";
    fetch.url = fmt::format("https://{}/", name.empty() ? host_text(packet.to, https_port) : name);
    fetch.latest = at;
    session.body_begin = session.highest;
    return session.fetch;
}

std::optional<std::size_t> Fetches::tls_alert(double at, TcpSession& session, std::string_view head) {
    const Bytes record = bytes_of(head);
    constexpr std::uint16_t plain_length =
        2;  // an encrypted alert is longer, and ends every good connection too
    if (!session.fetch || record.be16(3) != plain_length || !record.has(5, plain_length)) {
        return std::nullopt;
    }
    constexpr std::uint8_t close_notify = 0;
    const std::uint8_t description = record.u8(6);
    if (description == close_notify) {
        return std::nullopt;
    }
    const std::string_view text = alert_text(description);
    fetches_[*session.fetch].words =
        text.empty() ? fmt::format("TLS alert {}", description) : std::string{text};
    return end(*session.fetch, at, FetchState::failed, FetchFault::tls_alert);
}

}  // namespace vml::boot
