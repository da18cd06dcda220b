// Fetches by HTTP (RFC 9110, 9112).
#include <algorithm>
#include <cctype>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "bootwatch/fetches.h"

namespace vml::boot {

namespace {

constexpr std::uint16_t http_port = 80;

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

// The server by the name that the guest asked for. edk2's client leaves out the port, which is to be there
// where it is not the usual one (RFC 9110, 7.2).
std::string asked_host(const Endpoint& server, std::string_view name) {
    if (name.empty()) {
        return host_text(server, http_port);
    }
    const std::size_t bracket = name.rfind(']');
    const bool has_port =
        name.find(':', bracket == std::string_view::npos ? 0 : bracket) != std::string_view::npos;
    return has_port || server.port == http_port ? printable(name)
                                                : fmt::format("{}:{}", printable(name), server.port);
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

// The data of the chunks that a body begins with (RFC 9112, 7.1), so far as they came.
std::string data_of_chunks(std::string_view raw) {
    std::string data;
    while (true) {
        const std::size_t line_end = raw.find("\r\n");
        constexpr int hexadecimal = 16;
        const std::size_t size = leading_number<std::size_t>(raw, hexadecimal).value_or(0);
        if (line_end == std::string_view::npos || size == 0) {
            break;
        }
        raw.remove_prefix(line_end + 2);
        data += raw.substr(0, size);
        raw.remove_prefix(std::min(size + 2, raw.size()));
    }
    return data;
}

// The fetch of a file that is read piece by piece.
std::optional<std::size_t> ranged_before(const std::vector<Fetch>& fetches, std::string_view url) {
    return latest_of(fetches, [&](const Fetch& fetch) { return fetch.ranges > 0 && fetch.url == url; });
}

// a - b for sequence numbers, which wrap (RFC 9293, 3.4).
std::int32_t sequence_distance(std::uint32_t a, std::uint32_t b) {
    return static_cast<std::int32_t>(a - b);
}

}  // namespace

std::optional<std::size_t> Fetches::http_request(double at, const Packet& packet, TcpSession& session,
                                                 const TcpSegment& segment) {
    const std::string_view head = segment.head;
    if (session.asked && session.fetch && session.request == segment.sequence &&
        awaits_answer(fetches_[*session.fetch])) {  // sent again
        ++fetches_[*session.fetch].repeats;
        return std::nullopt;
    }
    session.request = segment.sequence;
    const std::size_t path_begin = head.find(' ') + 1;
    const std::string_view path = head.substr(path_begin, head.find_first_of(" \r", path_begin) - path_begin);
    const std::string url =
        cut_to(fmt::format("http://{}{}", asked_host(packet.to, header_value(head, "Host")), printable(path)),
               longest_url);
    ask_on_this_connection(at, packet, session, url, !header_value(head, "Range").empty());
    session.asked = true;
    session.chunked = false;
    session.expected.reset();
    session.received = 0;
    session.header.clear();
    session.head.clear();
    session.body_begin.reset();
    session.head_only = head.starts_with("HEAD ");
    if (session.fetch && session.head_only) {
        fetches_[*session.fetch].protocol = "http-head";
    }
    const bool more = session.ranged && session.fetch && fetches_[*session.fetch].ranges > 1;
    return more ? std::nullopt : session.fetch;
}

void Fetches::ask_on_this_connection(double at, const Packet& packet, TcpSession& session,
                                     const std::string& url, bool range) {
    asks(session);
    const bool first = session.fetch && !session.asked;
    if (session.fetch && session.asked) {
        end(*session.fetch, at, FetchState::done, FetchFault::none);  // the connection is kept
    }
    session.ranged = range;
    if (const auto earlier = range ? ranged_before(fetches_, url) : std::nullopt) {
        if (first) {  // the connection is no fetch of its own
            fetches_[*session.fetch].protocol = "http-range";
            end(*session.fetch, at, FetchState::done, FetchFault::none);
            if (*session.fetch + 1 == fetches_.size()) {
                fetches_.pop_back();
            }
        }
        session.fetch = earlier;
        ++fetches_[*earlier].ranges;
        fetches_[*earlier].latest = at;
        return;
    }
    if (!first) {
        session.fetch = begin(at, {.protocol = "http", .url = url, .server = packet.to});
    }
    Fetch& fetch = fetches_[*session.fetch];
    fetch.protocol = "http";
    fetch.url = url;
    fetch.latest = at;
    fetch.ranges = range ? 1 : 0;
}

// Of one request. A piece of a file that is read piece by piece is news only if it is the first, or fails.
std::optional<std::size_t> Fetches::response_over(double at, TcpSession& session, FetchState state,
                                                  FetchFault fault) {
    Fetch& fetch = fetches_[*session.fetch];
    if (session.ranged && fetch.state == FetchState::done && state == FetchState::failed) {
        fetch.ended.reset();
    }
    if (session.ranged && fetch.ended) {
        fetch.ended = at;
    }
    return end(*session.fetch, at, state, fault);
}

void Fetches::read_header(Fetch& fetch, TcpSession& session, std::string_view header) {
    fetch.status = leading_number<int>(header.substr(std::min(header.find(' ') + 1, header.size())));
    session.expected = leading_number<std::uint64_t>(header_value(header, "Content-Length"));
    session.chunked = same_letters(header_value(header, "Transfer-Encoding"), "chunked");
    if (!session.ranged) {
        fetch.expected = session.expected;
    }
    fetch.location = cut_to(printable(header_value(header, "Location")), longest_url);
    fetch.words = cut_to(printable(header.substr(0, header.find('\r'))), longest_words);
}

std::optional<std::size_t> Fetches::http_response(double at, TcpSession& session, const TcpSegment& segment) {
    if (session.body_begin) {
        return body_bytes(at, session, segment);
    }
    constexpr std::size_t longest_header = 16384;
    Fetch& fetch = fetches_[*session.fetch];
    fetch.latest = at;
    const std::size_t before = session.header.size();
    session.header += segment.head.substr(0, longest_header - before);
    const std::size_t end_of_header = session.header.find("\r\n\r\n");
    const bool cut = segment.head.size() < segment.size || session.header.size() == longest_header;
    if (end_of_header == std::string::npos && !cut) {
        return std::nullopt;
    }
    const std::string header = std::exchange(session.header, {});
    const std::size_t length = end_of_header == std::string::npos ? header.size() : end_of_header + 4;
    session.body_begin = segment.sequence + static_cast<std::uint32_t>(length - std::min(before, length));
    session.highest = *session.body_begin;
    read_header(fetch, session, header);
    const auto fault = fault_of_status(fetch.status.value_or(0));
    if (fault != FetchFault::none) {
        return response_over(at, session, FetchState::failed, fault);
    }
    if (session.head_only) {
        return response_over(at, session, FetchState::done, fault);
    }
    session.head = header.substr(length);
    look_into_body(session, false);
    const auto ended = body_bytes(at, session, segment);
    return ended || (session.ranged && fetch.ranges > 1) ? ended : session.fetch;
}

void Fetches::look_into_body(TcpSession& session, bool whole) {
    Fetch& fetch = fetches_[*session.fetch];
    if (session.ranged && fetch.ranges != 1) {
        return;
    }
    if (!session.chunked) {
        look_into(fetch, session.head);
        return;
    }
    const std::string data = data_of_chunks(session.head);
    look_into(fetch, data);
    if (whole && session.head.size() == session.received) {
        fetch.received = data.size();  // without what parts the chunks
    }
}

std::optional<std::size_t> Fetches::body_bytes(double at, TcpSession& session, const TcpSegment& segment) {
    if (!session.fetch || !session.body_begin || (fetches_[*session.fetch].ended && !session.ranged)) {
        return std::nullopt;
    }
    Fetch& fetch = fetches_[*session.fetch];
    fetch.latest = at;
    const std::uint32_t past = segment.sequence + static_cast<std::uint32_t>(segment.size);
    const std::int32_t more = sequence_distance(past, session.highest);
    if (more > 0) {
        session.highest = past;
        session.received += static_cast<std::uint32_t>(more);
        fetch.received += static_cast<std::uint32_t>(more);
        fetch.state = fetch.state == FetchState::asked ? FetchState::receiving : fetch.state;
    }
    if (!session.asked) {
        return std::nullopt;
    }
    constexpr std::size_t framing = 64;  // of the first chunks
    const auto follows = static_cast<std::int32_t>(session.head.size());
    const bool last_chunk =
        session.chunked && segment.head.size() == segment.size && segment.head.ends_with("0\r\n\r\n");
    const bool wanted = session.head.size() < framing || wants_more(fetch, session.head.size() - framing);
    const bool next = sequence_distance(segment.sequence, *session.body_begin) == follows;
    if (wanted && (next || last_chunk)) {
        session.head += next ? segment.head.substr(0, longest_script + framing - session.head.size())
                             : std::string_view{};
        look_into_body(session, last_chunk);
    }
    return last_chunk || (session.expected && session.received >= *session.expected)
               ? response_over(at, session, FetchState::done, FetchFault::none)
               : std::nullopt;
}

}  // namespace vml::boot
