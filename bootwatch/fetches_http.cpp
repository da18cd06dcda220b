// Fetches over TCP: HTTP (RFC 9110, 9112) and what TLS shows of itself.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "bootwatch/fetches.h"

namespace vml::boot {

namespace {

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

// TLS record types and alert descriptions (RFC 8446, 5.1 and B.2).
constexpr char tls_handshake = '\x16';
constexpr char tls_alert_record = '\x15';

std::string host_text(const Endpoint& server, std::uint16_t usual_port) {
    const std::string address =
        server.address.v6 ? fmt::format("[{}]", to_string(server.address)) : to_string(server.address);
    return server.port == usual_port ? address : fmt::format("{}:{}", address, server.port);
}

std::string printable(std::string_view text) {
    return bytes_of(text).text(0, text.size());
}

bool same_letters(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// A header's value ("Host"), in a request or response head.
std::string_view header_value(std::string_view head, std::string_view name) {
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
        std::string_view line = head.substr(at + 2);
        line = line.substr(0, line.find("\r\n"));
        const std::size_t colon = line.find(':');
        if (colon != std::string_view::npos && same_letters(line.substr(0, colon), name)) {
            const std::size_t start = line.find_first_not_of(" \t", colon + 1);
            return start == std::string_view::npos ? std::string_view{} : line.substr(start);
        }
    }
    return {};
}

template <typename Number>
std::optional<Number> number_in(std::string_view text) {
    Number number{};
    // NOLINTNEXTLINE(cppcoreguidelines-pro-bounds-pointer-arithmetic): from_chars takes a range of pointers
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    return result.ec == std::errc{} ? std::optional{number} : std::nullopt;
}

FetchFault fault_of_status(int status) {
    constexpr int server_errors = 500;
    constexpr int client_errors = 400;
    switch (status) {
        case 401:
        case 403:
            return FetchFault::access_denied;
        case 404:
        case 410:
            return FetchFault::not_found;
        default:
            return status >= server_errors   ? FetchFault::server_error
                   : status >= client_errors ? FetchFault::client_error
                                             : FetchFault::none;
    }
}
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
    constexpr std::size_t fixed_part = 43;  // record 5, handshake 4, version 2, random 32
    std::size_t at = fixed_part;
    at += 1U + bytes.u8(at);    // session id
    at += 2U + bytes.be16(at);  // cipher suites
    at += 1U + bytes.u8(at);    // compression methods
    at += 2;                    // length of the extensions
    for (; bytes.has(at, 4); at += 4U + bytes.be16(at + 2)) {
        if (bytes.be16(at) == 0) {
            return bytes.text(at + 9, bytes.be16(at + 7));
        }
    }
    return {};
}

// a - b for sequence numbers, which wrap (RFC 9293, 3.4).
std::int32_t sequence_distance(std::uint32_t a, std::uint32_t b) {
    return static_cast<std::int32_t>(a - b);
}

}  // namespace
std::optional<std::size_t> Fetches::from_guest(double at, const Packet& packet, const TcpSegment& segment) {
    const TcpKey key{packet.from.port, packet.to};
    if (segment.syn) {
        const bool again = tcp_.contains(key) && !tcp_[key].accepted;
        const bool web = packet.to.port == http_port || packet.to.port == https_port;
        if (again) {
            if (const auto& fetch = tcp_[key].fetch) {
                ++fetches_[*fetch].repeats;
                fetches_[*fetch].latest = at;
            }
            return std::nullopt;
        }
        tcp_[key] = {};
        // What will be asked for is not known yet; who does not answer at all is worth telling already.
        const std::string protocol = packet.to.port == https_port ? "https" : "http";
        const std::uint16_t usual = packet.to.port == https_port ? https_port : http_port;
        tcp_[key].fetch =
            begin(at, {.protocol = web ? protocol : "tcp",
                       .url = fmt::format("{}://{}/", web ? protocol : "tcp", host_text(packet.to, usual)),
                       .server = packet.to});
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
    if (!segment.head.empty() && segment.head.front() == tls_handshake && !session.secret) {
        return tls_hello(at, packet, session, segment.head);
    }
    if (!segment.head.empty() && segment.head.front() == tls_alert_record) {
        return tls_alert(at, session, segment.head);
    }
    return segment.rst || segment.fin ? tcp_ended(at, session, true, segment.rst) : std::nullopt;
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
        return std::nullopt;
    }
    if (segment.rst && !session.accepted) {
        return session.fetch ? end(*session.fetch, at, FetchState::failed, FetchFault::refused)
                             : std::nullopt;
    }
    std::optional<std::size_t> news;
    if (segment.size > 0 && session.fetch) {
        if (!session.secret) {
            news = http_response(at, session, segment);
        } else if (segment.head.starts_with(tls_alert_record)) {
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

std::optional<std::size_t> Fetches::http_request(double at, const Packet& packet, TcpSession& session,
                                                 std::string_view head) {
    const std::size_t path_begin = head.find(' ') + 1;
    const std::string_view path = head.substr(path_begin, head.find_first_of(" \r", path_begin) - path_begin);
    const std::string_view host = header_value(head, "Host");
    const std::string url = fmt::format(
        "http://{}{}", host.empty() ? host_text(packet.to, http_port) : printable(host), printable(path));
    const bool fresh = session.fetch && fetches_[*session.fetch].protocol != "tcp-used" &&
                       fetches_[*session.fetch].state == FetchState::asked && !session.body_begin &&
                       fetches_[*session.fetch].url.ends_with('/') && session.header.empty();
    if (fresh) {  // the connection's first request: the fetch began with the connection
        Fetch& fetch = fetches_[*session.fetch];
        fetch.url = url;
        fetch.protocol = "http";
        fetch.latest = at;
    } else {  // another one on a connection that is kept
        if (session.fetch) {
            end(*session.fetch, at, FetchState::done, FetchFault::none);
        }
        session.fetch = begin(at, {.protocol = "http", .url = url, .server = packet.to});
    }
    session.header.clear();
    session.head.clear();
    session.body_begin.reset();
    session.head_only = head.starts_with("HEAD ");
    if (session.fetch && session.head_only) {
        fetches_[*session.fetch].protocol = "http-head";
    }
    return session.fetch;
}

std::optional<std::size_t> Fetches::tls_hello(double at, const Packet& packet, TcpSession& session,
                                              std::string_view head) {
    session.secret = true;
    if (!session.fetch) {
        return std::nullopt;
    }
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

std::optional<std::size_t> Fetches::http_response(double at, TcpSession& session, const TcpSegment& segment) {
    if (session.body_begin) {
        return body_bytes(at, session, segment);
    }
    constexpr std::size_t longest_header = 16384;
    Fetch& fetch = fetches_[*session.fetch];
    fetch.latest = at;
    const std::size_t before = session.header.size();
    session.header += segment.head;
    const std::size_t end_of_header = session.header.find("\r\n\r\n");
    const bool cut = segment.head.size() < segment.size || session.header.size() > longest_header;
    if (end_of_header == std::string::npos && !cut) {
        return std::nullopt;
    }
    const std::size_t length = std::min(end_of_header, session.header.size() - 4) + 4;
    session.body_begin = segment.sequence + static_cast<std::uint32_t>(length - std::min(before, length));
    session.highest = *session.body_begin;
    const std::string_view header{session.header};
    fetch.status = number_in<int>(header.substr(std::min(header.find(' ') + 1, header.size())));
    fetch.expected = number_in<std::uint64_t>(header_value(header, "Content-Length"));
    fetch.location = printable(header_value(header, "Location"));
    fetch.words = printable(header.substr(0, header.find('\r')));
    if (session.head_only) {
        return end(*session.fetch, at, FetchState::done, fault_of_status(fetch.status.value_or(0)));
    }
    const auto fault = fault_of_status(fetch.status.value_or(0));
    if (fault != FetchFault::none) {
        return end(*session.fetch, at, FetchState::failed, fault);
    }
    session.head = session.header.substr(length);
    fetch.content = classify(bytes_of(session.head));
    const auto ended = body_bytes(at, session, segment);
    return ended ? ended : session.fetch;
}

std::optional<std::size_t> Fetches::body_bytes(double at, TcpSession& session, const TcpSegment& segment) {
    if (!session.fetch || !session.body_begin || fetches_[*session.fetch].ended) {
        return std::nullopt;
    }
    Fetch& fetch = fetches_[*session.fetch];
    fetch.latest = at;
    const std::uint32_t past = segment.sequence + static_cast<std::uint32_t>(segment.size);
    const std::int32_t more = sequence_distance(past, session.highest);
    if (more > 0) {
        session.highest = past;
        fetch.received += static_cast<std::uint32_t>(more);
        fetch.state = fetch.state == FetchState::asked ? FetchState::receiving : fetch.state;
    }
    if (session.secret) {
        return std::nullopt;
    }
    const auto follows = static_cast<std::int32_t>(session.head.size());
    if (session.head.size() < content_head &&
        sequence_distance(segment.sequence, *session.body_begin) == follows) {
        session.head += segment.head;
        fetch.content = classify(bytes_of(session.head));
    }
    return fetch.expected && fetch.received >= *fetch.expected
               ? end(*session.fetch, at, FetchState::done, FetchFault::none)
               : std::nullopt;
}

std::optional<std::size_t> Fetches::tcp_ended(double at, TcpSession& session, bool by_guest, bool reset) {
    if (!session.fetch || fetches_[*session.fetch].ended) {
        return std::nullopt;
    }
    const Fetch& fetch = fetches_[*session.fetch];
    const bool whole =
        fetch.expected ? fetch.received >= *fetch.expected : (!reset && fetch.state == FetchState::receiving);
    if (whole || (session.secret && !reset)) {
        return end(*session.fetch, at, FetchState::done, FetchFault::none);
    }
    return end(*session.fetch, at, FetchState::failed,
               by_guest ? FetchFault::given_up : FetchFault::truncated);
}

}  // namespace vml::boot
