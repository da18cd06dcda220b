// Connections, whatever goes over them: begun, accepted or refused, ended.
#include <algorithm>
#include <array>
#include <utility>

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
    fetch.bare = true;
    return fetch;
}

// RFC 8446, 4: the first message of a handshake.
bool is_client_hello(std::string_view head) {
    constexpr std::size_t record_header = 5;
    return head.size() > record_header && head.front() == tls_handshake && head[record_header] == '\x01';
}

// A request line (RFC 9112, 3), of whatever method, as far as it is in this segment.
bool is_http_request(std::string_view head) {
    const std::size_t method = head.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (method == 0 || method == std::string_view::npos || !head.substr(method).starts_with(" /")) {
        return false;
    }
    const std::size_t end = head.find('\r');
    return end == std::string_view::npos || head.substr(0, end).find(" HTTP/1.") != std::string_view::npos;
}

}  // namespace

// Of too many, the one goes over which nothing came for longest: of those over which nothing was asked,
// unless they are few.
Fetches::TcpSession& Fetches::new_session(const TcpKey& key, double at) {
    const auto is_bare = [](const TcpSession& session) { return !session.asked && !session.secret; };
    const bool bare =
        static_cast<std::size_t>(std::count_if(tcp_.begin(), tcp_.end(), [&](const auto& entry) {
            return is_bare(entry.second);
        })) > most_sessions;
    make_room_for(key, tcp_, 2 * most_sessions, [&](const TcpSession& session) {
        return std::pair{is_bare(session) != bare, session.latest};
    });
    TcpSession& session = tcp_[key] = {};
    session.latest = at;
    return session;
}

// What was a bare connection is a fetch now.
void Fetches::asks(TcpSession& session) {
    if (session.fetch && fetches_[*session.fetch].bare) {
        make_room(false);
        --bare_;
        fetches_[*session.fetch].bare = false;
    }
}

std::optional<std::size_t> Fetches::from_guest(double at, const Packet& packet, const TcpSegment& segment) {
    const TcpKey key{packet.from.port, packet.to};
    const auto known = tcp_.find(key);
    if (known != tcp_.end()) {
        known->second.latest = at;
    }
    if (segment.syn) {
        if (known != tcp_.end() && !known->second.accepted) {
            if (const auto& fetch = known->second.fetch) {
                ++fetches_[*fetch].repeats;
                fetches_[*fetch].latest = at;
            }
            return std::nullopt;
        }
        // What will be asked for is not known yet; who does not answer at all is worth telling already.
        new_session(key, at).fetch = begin(at, fetch_on(packet.to));
        return std::nullopt;
    }
    const bool asks_by_http = is_http_request(segment.head);
    const bool hello = is_client_hello(segment.head);
    if (known == tcp_.end() && !asks_by_http && !hello) {
        return std::nullopt;
    }
    TcpSession& session = known == tcp_.end() ? new_session(key, at) : known->second;
    if (asks_by_http) {
        return http_request(at, packet, session, segment);
    }
    if (hello && !session.fetch) {
        session.fetch = begin(at, fetch_on(packet.to));
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
    if (const std::string& protocol = fetches_[*session.fetch].protocol;
        protocol != "iscsi" && protocol != "tcp") {
        return;
    }
    asks(session);
    Fetch& login = fetches_[*session.fetch];
    constexpr std::size_t longest_name = 223;  // RFC 7143, 4.2.7.1
    constexpr std::uint16_t iscsi_port = 3260;
    const Bytes bytes = bytes_of(head);
    login.protocol = "iscsi";
    login.url = fmt::format("iscsi://{}/{}", host_text(packet.to, iscsi_port),
                            bytes.text(at + key.size(), longest_name));
}

std::optional<std::size_t> Fetches::from_server(double at, const Packet& packet, const TcpSegment& segment) {
    const auto found = tcp_.find({packet.to.port, packet.from});
    if (found == tcp_.end()) {
        return std::nullopt;
    }
    TcpSession& session = found->second;
    session.latest = at;
    if (segment.syn) {
        session.accepted = true;
        if (session.fetch) {
            fetches_[*session.fetch].accepted = true;
        }
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
        asks(session);
        note_answer(fetches_[*session.fetch], at);
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
