// Connections, whatever goes over them: begun, accepted or refused, ended.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "bootwatch/fetches.h"

namespace vml::boot {

namespace {

constexpr char tls_handshake = '\x16';  // TLS record types (RFC 8446, 5.1)
constexpr char tls_alert_record = '\x15';

struct PortRow {
    std::uint16_t port;
    std::string_view protocol;
};
// IANA's registry. Elsewhere the request tells the protocol, if one is ever sent.
constexpr std::array well_known{PortRow{80, "http"}, PortRow{443, "https"}, PortRow{3260, "iscsi"},
                                PortRow{2049, "nfs"}, PortRow{21, "ftp"}};

Fetch fetch_on(const Endpoint& server) {
    const auto* row = std::find_if(well_known.begin(), well_known.end(),
                                   [&](const PortRow& r) { return r.port == server.port; });
    const std::string_view protocol = row == well_known.end() ? "tcp" : row->protocol;
    Fetch fetch;
    fetch.protocol = protocol;
    fetch.url = fmt::format("{}://{}/", protocol, host_text(server, row == well_known.end() ? 0 : row->port));
    fetch.server = server;
    return fetch;
}

}  // namespace

std::optional<std::size_t> Fetches::from_guest(double at, const Packet& packet, const TcpSegment& segment) {
    const TcpKey key{packet.from.port, packet.to};
    if (segment.syn) {
        const bool again = tcp_.contains(key) && !tcp_[key].accepted;
        if (again) {
            if (const auto& fetch = tcp_[key].fetch) {
                ++fetches_[*fetch].repeats;
                fetches_[*fetch].latest = at;
            }
            return std::nullopt;
        }
        tcp_[key] = {};
        // What will be asked for is not known yet; who does not answer at all is worth telling already.
        tcp_[key].fetch = begin(at, fetch_on(packet.to));
        return std::nullopt;
    }
    const auto found = tcp_.find(key);
    if (found == tcp_.end()) {
        return std::nullopt;
    }
    TcpSession& session = found->second;
    if (segment.head.starts_with("GET ") || segment.head.starts_with("HEAD ") ||
        segment.head.starts_with("POST ")) {
        return http_request(at, packet, session, segment.head);
    }
    iscsi_login(packet, session, segment.head);
    if (!segment.head.empty() && segment.head.front() == tls_handshake && !session.secret) {
        return tls_hello(at, packet, session, segment.head);
    }
    if (!segment.head.empty() && segment.head.front() == tls_alert_record) {
        return tls_alert(at, session, segment.head);
    }
    return segment.rst || segment.fin ? tcp_ended(at, session, true, segment.rst) : std::nullopt;
}

// A login's text names the target (RFC 7143, 11.12 and 13.4).
void Fetches::iscsi_login(const Packet& packet, TcpSession& session, std::string_view head) {
    constexpr std::string_view key = "TargetName=";
    const std::size_t at = head.find(key);
    if (!session.fetch || session.secret || session.asked || at == std::string_view::npos) {
        return;
    }
    Fetch& fetch = fetches_[*session.fetch];
    if (fetch.protocol != "iscsi" && fetch.protocol != "tcp") {
        return;
    }
    constexpr std::size_t longest_name = 223;  // RFC 7143, 4.2.7.1
    constexpr std::uint16_t iscsi_port = 3260;
    const Bytes bytes = bytes_of(head);
    fetch.protocol = "iscsi";
    fetch.url = fmt::format("iscsi://{}/{}", host_text(packet.to, iscsi_port),
                            bytes.text(at + key.size(), longest_name));
}

std::optional<std::size_t> Fetches::from_server(double at, const Packet& packet, const TcpSegment& segment) {
    const auto found = tcp_.find({packet.to.port, packet.from});
    if (found == tcp_.end()) {
        return std::nullopt;
    }
    TcpSession& session = found->second;
    if (segment.syn) {
        session.accepted = true;
        session.highest = segment.sequence + 1;
        session.body_begin = session.highest;  // until something is known of what comes
        return std::nullopt;
    }
    if (segment.rst && !session.accepted) {
        return session.fetch ? end(*session.fetch, at, FetchState::failed, FetchFault::refused)
                             : std::nullopt;
    }
    std::optional<std::size_t> news;
    if (segment.size > 0 && session.fetch) {
        if (session.asked) {
            news = http_response(at, session, segment);
        } else if (session.secret && segment.head.starts_with(tls_alert_record)) {
            news = tls_alert(at, session, segment.head);
        } else {
            news = body_bytes(at, session, segment);
        }
    }
    if (segment.fin || segment.rst) {
        const auto ended = tcp_ended(at, session, false, segment.rst);
        return ended ? ended : news;
    }
    return news;
}

std::optional<std::size_t> Fetches::tcp_ended(double at, TcpSession& session, bool by_guest, bool reset) {
    if (!session.fetch || fetches_[*session.fetch].ended) {
        return std::nullopt;
    }
    const Fetch& fetch = fetches_[*session.fetch];
    const bool whole = session.expected ? session.received >= *session.expected
                                        : (!reset && fetch.state == FetchState::receiving);
    if (whole || (session.secret && !reset)) {
        return end(*session.fetch, at, FetchState::done, FetchFault::none);
    }
    return end(*session.fetch, at, FetchState::failed,
               by_guest ? FetchFault::given_up : FetchFault::truncated);
}

}  // namespace vml::boot
