#include "bootwatch/fetches.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>
#include <variant>

#include <fmt/format.h>

namespace vml::boot {

namespace {

constexpr std::uint16_t tftp_port = 69;
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

FetchFault fault_of_tftp(std::uint16_t code) {
    constexpr std::uint16_t file_not_found = 1;
    constexpr std::uint16_t access_violation = 2;
    return code == file_not_found     ? FetchFault::not_found
           : code == access_violation ? FetchFault::access_denied
                                      : FetchFault::other_error;
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

std::string_view name_of(FetchFault fault) {
    switch (fault) {
        case FetchFault::none:
            return "none";
        case FetchFault::not_found:
            return "not-found";
        case FetchFault::access_denied:
            return "access-denied";
        case FetchFault::refused:
            return "refused";
        case FetchFault::no_answer:
            return "no-answer";
        case FetchFault::server_error:
            return "server-error";
        case FetchFault::client_error:
            return "client-error";
        case FetchFault::other_error:
            return "other-error";
        case FetchFault::truncated:
            return "truncated";
        case FetchFault::tls_alert:
            return "tls-alert";
        case FetchFault::given_up:
            return "given-up";
    }
    return "";
}

bool is_probe(const Fetch& fetch) {
    return fetch.protocol == "tftp-size" || fetch.protocol == "http-head";
}

std::string_view base_name(std::string_view url) {
    const std::size_t slash = url.find_last_of('/');
    return slash == std::string_view::npos || slash + 1 == url.size() ? url : url.substr(slash + 1);
}

double speed_of(const Fetch& fetch) {
    const double took = fetch.ended.value_or(fetch.latest) - fetch.began;
    return took > 0 ? static_cast<double>(fetch.received) / took : 0;
}

std::optional<std::size_t> Fetches::see(double at, bool from_guest, const Packet& packet) {
    const std::uint16_t port = from_guest ? packet.from.port : packet.to.port;
    if (const auto* segment = std::get_if<TcpSegment>(&packet.body)) {
        return from_guest ? this->from_guest(at, packet, *segment) : from_server(at, packet, *segment);
    }
    if (const auto* data = std::get_if<TftpData>(&packet.body); data != nullptr && !from_guest) {
        return tftp_data(at, port, *data);
    }
    if (const auto* request = std::get_if<TftpRequest>(&packet.body); request != nullptr && from_guest) {
        return tftp_request(at, packet, *request);
    }
    if (const auto* error = std::get_if<TftpError>(&packet.body)) {
        return tftp_error(at, from_guest, port, *error);
    }
    if (const auto* options = std::get_if<TftpOptions>(&packet.body); options != nullptr && !from_guest) {
        tftp_options(at, port, *options);
    }
    if (const auto* message = std::get_if<DnsMessage>(&packet.body)) {
        return look_up(at, from_guest, *message);
    }
    if (const auto* message = std::get_if<Unreachable>(&packet.body); message != nullptr && !from_guest) {
        return unreachable(at, *message);
    }
    return std::nullopt;
}

std::optional<std::size_t> Fetches::begin(double at, Fetch fetch) {
    if (fetches_.size() >= most_fetches) {
        return std::nullopt;
    }
    fetch.began = fetch.latest = at;
    fetches_.push_back(std::move(fetch));
    return fetches_.size() - 1;
}

std::optional<std::size_t> Fetches::end(std::size_t index, double at, FetchState state, FetchFault fault) {
    Fetch& fetch = fetches_[index];
    if (fetch.ended) {
        return std::nullopt;
    }
    fetch.ended = at;
    fetch.state = state;
    fetch.fault = fault;
    return index;
}

// ---- TFTP

std::optional<std::size_t> Fetches::tftp_request(double at, const Packet& packet,
                                                 const TftpRequest& request) {
    if (packet.to.port != tftp_port) {
        return std::nullopt;
    }
    const std::string url =
        fmt::format("tftp://{}/{}", to_string(packet.to.address),
                    request.file.starts_with('/') ? request.file.substr(1) : request.file);
    // The same file asked for again, from whatever port, while nobody has given it yet: a repetition.
    for (std::size_t index = fetches_.size(); index-- > 0;) {
        Fetch& earlier = fetches_[index];
        const bool unanswered = earlier.state == FetchState::asked || earlier.fault == FetchFault::refused;
        if (earlier.url == url && unanswered) {
            ++earlier.repeats;
            earlier.latest = at;
            tftp_[packet.from.port] = {.fetch = index};
            return std::nullopt;
        }
    }
    const auto index = begin(at, {.protocol = "tftp", .url = url, .server = packet.to});
    if (index) {
        tftp_[packet.from.port] = {.fetch = *index};
    }
    return index;
}

void Fetches::tftp_options(double at, std::uint16_t port, const TftpOptions& options) {
    const auto session = tftp_.find(port);
    if (session == tftp_.end() || session->second.over) {
        return;
    }
    Fetch& fetch = fetches_[session->second.fetch];
    fetch.latest = at;
    if (options.block_size && *options.block_size > 0) {
        session->second.block_size = *options.block_size;
    }
    if (options.file_size) {
        fetch.expected = options.file_size;
    }
}

std::optional<std::size_t> Fetches::said_to_be_done(double at, std::string_view name) {
    if (fetches_.empty() || fetches_.back().state != FetchState::receiving ||
        base_name(fetches_.back().url) != base_name(name)) {
        return std::nullopt;
    }
    Fetch& fetch = fetches_.back();
    fetch.received = fetch.expected.value_or(fetch.received);
    return end(fetches_.size() - 1, at, FetchState::done, FetchFault::none);
}

std::optional<std::size_t> Fetches::tftp_data(double at, std::uint16_t port, const TftpData& data) {
    const auto found = tftp_.find(port);
    if (found == tftp_.end() || found->second.over || fetches_[found->second.fetch].ended) {
        return std::nullopt;
    }
    TftpSession& session = found->second;
    Fetch& fetch = fetches_[session.fetch];
    const bool first = fetch.state == FetchState::asked;
    // Block numbers wrap at 16 bits; a block sent again is behind the highest one.
    const auto ahead = static_cast<std::int16_t>(data.block - static_cast<std::uint16_t>(session.blocks));
    if (ahead > 0) {
        session.blocks += static_cast<std::uint64_t>(ahead);
        fetch.received = (session.blocks - 1) * session.block_size + data.size;
    }
    if (data.block == 1 && session.blocks == 1) {
        fetch.content = classify(bytes_of(data.head));
    }
    fetch.state = FetchState::receiving;
    fetch.latest = at;
    if (data.size < session.block_size) {
        session.over = true;
        return end(session.fetch, at, FetchState::done, FetchFault::none);
    }
    return first ? std::optional{session.fetch} : std::nullopt;
}

std::optional<std::size_t> Fetches::tftp_error(double at, bool from_guest, std::uint16_t port,
                                               const TftpError& error) {
    const auto found = tftp_.find(port);
    if (found == tftp_.end() || std::exchange(found->second.over, true)) {
        return std::nullopt;
    }
    Fetch& fetch = fetches_[found->second.fetch];
    if (from_guest && fetch.state == FetchState::asked) {
        // PXE clients ask for the size first, and break off once they know it: no fetch at all.
        fetch.protocol = "tftp-size";
        return end(found->second.fetch, at, FetchState::done, FetchFault::none);
    }
    fetch.words = error.message;
    return end(found->second.fetch, at, FetchState::failed,
               from_guest ? FetchFault::given_up : fault_of_tftp(error.code));
}

std::optional<std::size_t> Fetches::unreachable(double at, const Unreachable& message) {
    if (message.udp && message.target.port == tftp_port) {
        const auto found = tftp_.find(message.sender.port);
        if (found != tftp_.end() && !found->second.over) {
            fetches_[found->second.fetch].words =
                fmt::format("ICMP destination unreachable, code {}", message.code);
            found->second.over = true;
            return end(found->second.fetch, at, FetchState::failed, FetchFault::refused);
        }
    }
    return std::nullopt;
}

// ---- TCP: HTTP and TLS

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

// ---- DNS

std::optional<std::size_t> Fetches::look_up(double at, bool from_guest, const DnsMessage& message) {
    const auto known = std::find_if(lookups_.begin(), lookups_.end(),
                                    [&](const Lookup& lookup) { return lookup.name == message.name; });
    if (from_guest && !message.response) {
        if (known == lookups_.end() && lookups_.size() < most_lookups) {
            lookups_.push_back({message.name, at});
        }
    } else if (!from_guest && message.response && known != lookups_.end()) {
        known->answered = true;
        known->rcode = message.rcode;
        known->found = known->found || (message.rcode == 0 && message.answers > 0);
    }
    return std::nullopt;
}

}  // namespace vml::boot
