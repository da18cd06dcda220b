#include "bootwatch/fetches.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "bootwatch/record.h"

namespace vml::boot {

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
    return fetch.protocol == "tftp-size" || fetch.protocol == "http-head" || fetch.protocol == "http-range";
}

namespace {

bool is_without_answer(const Fetch& fetch) {
    return !fetch.bare && !fetch.status && fetch.received == 0 &&
           (fetch.protocol == "http" || fetch.protocol == "http-head" || fetch.protocol == "https");
}

}  // namespace

bool awaits_answer(const Fetch& fetch) {
    return fetch.state == FetchState::asked && !fetch.ended && is_without_answer(fetch);
}

// Healthy: what somebody ends at the console, which need not be the server's fault.
bool is_given_up_unanswered(const Fetch& fetch) {
    constexpr double patience_s = 1;
    return fetch.fault == FetchFault::given_up && is_without_answer(fetch) &&
           fetch.ended.value_or(fetch.latest) - fetch.latest >= patience_s;
}

std::string host_text(const Endpoint& server, std::uint16_t usual_port) {
    const std::string address =
        server.address.v6 ? fmt::format("[{}]", to_string(server.address)) : to_string(server.address);
    return server.port == usual_port ? address : fmt::format("{}:{}", address, server.port);
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
    make_room(fetch.bare);
    bare_ += fetch.bare ? 1U : 0U;
    fetch.began = fetch.latest = at;
    fetches_.push_back(std::move(fetch));
    return fetches_.size() - 1;
}

// For one more of its kind.
void Fetches::make_room(bool bare) {
    if (bare ? bare_ >= most_bare : fetches_.size() - bare_ >= most_fetched) {
        drop(latest_of(fetches_, [bare](const Fetch& fetch) { return fetch.bare == bare; }).value());
    }
}

void Fetches::drop(std::size_t index) {
    text_kept_ -= fetches_[index].text.size();
    bare_ -= fetches_[index].bare ? 1U : 0U;
    fetches_.erase(std::next(fetches_.begin(), static_cast<std::ptrdiff_t>(index)));
    ++left_out_.fetches;
    std::erase_if(tftp_, [&](const auto& entry) { return entry.second.fetch == index; });
    for (auto& [port, session] : tftp_) {
        session.fetch -= session.fetch > index ? 1 : 0;
    }
    for (auto& [key, session] : tcp_) {
        if (session.fetch == index) {
            session.fetch.reset();
        } else if (session.fetch && *session.fetch > index) {
            --*session.fetch;
        }
    }
}

bool wants_more(const Fetch& fetch, std::size_t seen) {
    return seen < (fetch.content == Content::ipxe_script ? longest_script : content_head);
}

void Fetches::look_into(Fetch& fetch, std::string_view head) {
    fetch.content = classify(bytes_of(head));
    if (fetch.content != Content::ipxe_script && fetch.content != Content::text) {
        return;
    }
    const std::string_view text = head.substr(0, longest_script);
    if (text.size() > fetch.text.size() &&
        text_kept_ + text.size() - fetch.text.size() <= most_script_bytes) {
        text_kept_ += text.size() - fetch.text.size();
        fetch.text = text;
    }
}

std::optional<std::size_t> Fetches::end(std::size_t index, double at, FetchState state, FetchFault fault) {
    Fetch& fetch = fetches_[index];
    if (fetch.ended) {
        return std::nullopt;
    }
    fetch.ended = at;
    fetch.state = state;
    fetch.fault = fault;
    if (state == FetchState::done && may_be_program(fetch)) {
        rounds_.fetched(fetch.url, fetch.began);
    }
    return index;
}

// ---- DNS

std::optional<std::size_t> Fetches::look_up(double at, bool from_guest, const DnsMessage& message) {
    const auto known = std::find_if(lookups_.begin(), lookups_.end(),
                                    [&](const Lookup& lookup) { return lookup.name == message.name; });
    if (from_guest && !message.response) {
        if (known == lookups_.end()) {
            add_bounded(lookups_, {message.name, at}, most_texts, left_out_.lookups);
        }
    } else if (!from_guest && message.response && known != lookups_.end()) {
        known->answered = true;
        known->rcode = message.rcode;
        known->found = known->found || (message.rcode == 0 && message.answers > 0);
    }
    return std::nullopt;
}

}  // namespace vml::boot
