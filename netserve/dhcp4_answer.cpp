#include "netserve/dhcp4_answer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <utility>

#include "base/boot_server_port.h"
#include "base/bytes.h"
#include "base/url.h"
#include "netserve/dhcp_frame.h"
#include "netserve/frame_bytes.h"
#include "netserve/udp_frame.h"

namespace vml::serve {

namespace {

using namespace std::string_view_literals;
using namespace std::string_literals;

enum class Dhcp4Kind : std::uint8_t { discover = 1, offer = 2, request = 3, ack = 5, nak = 6, inform = 8 };

// RFC 2132, RFC 4578 (93) and RFC 3004 (77).
enum Dhcp4Code : std::uint8_t {
    of_mask = 1,
    of_dns = 6,
    of_wanted_address = 50,
    of_lease = 51,
    of_kind = 53,
    of_server = 54,
    of_largest = 57,
    of_class = 60,
    of_client = 61,
    of_file = 67,
    of_user_class = 77,
    of_ipxe = 175,
    of_end = 255
};

constexpr std::size_t dhcp4_fixed_size = 236;  // RFC 2131, 2
constexpr std::size_t dhcp4_options_at = 240;
constexpr std::size_t least_dhcp4_size = 300;       // RFC 951: what a relay of old passes on
constexpr std::size_t least_everybody_takes = 548;  // 576 with the headers of IP and UDP (RFC 2132, 9.10)
constexpr std::string_view ten_days = "\0\x0D\x2F\0"sv;  // seconds

struct Dhcp4Question {
    Bytes message;
    std::map<std::uint8_t, std::string> options;  // the first of each

    [[nodiscard]] std::string_view option(std::uint8_t code) const {
        const auto found = options.find(code);
        return found == options.end() ? std::string_view{} : std::string_view{found->second};
    }
    [[nodiscard]] Dhcp4Kind kind() const { return static_cast<Dhcp4Kind>(bytes_of(option(of_kind)).u8(0)); }
    [[nodiscard]] bool is_ipxe() const {
        return options.contains(of_ipxe) || option(of_user_class).find("iPXE") != std::string_view::npos;
    }
    [[nodiscard]] bool is_http() const { return option(of_class).starts_with("HTTPClient"); }
    // Windows, say, is of a class too ("MSFT 5.0"), and boots nothing.
    [[nodiscard]] bool is_firmware() const { return is_http() || option(of_class).starts_with("PXEClient"); }
    [[nodiscard]] std::string_view client_address() const { return message.part(12, 4).chars(); }
};

std::map<std::uint8_t, std::string> options_in(Bytes message) {
    std::map<std::uint8_t, std::string> options;
    for (std::size_t at = dhcp4_options_at; at < message.size() && message.u8(at) != of_end;) {
        if (message.u8(at) == 0) {
            ++at;
            continue;
        }
        const std::size_t length = message.u8(at + 1);
        options.try_emplace(message.u8(at), message.part(at + 2, length).chars());
        at += 2 + length;
    }
    return options;
}

std::optional<Dhcp4Question> question_in(const SegmentGuest& guest, Bytes message) {
    const std::string mac{guest.mac.begin(), guest.mac.end()};
    if (!message.has(0, dhcp4_options_at) || !message.starts(0, "\x01\x01\x06"sv) ||
        message.part(28, mac.size()).chars() != mac ||
        !message.starts(dhcp4_fixed_size, "\x63\x82\x53\x63"sv)) {
        return std::nullopt;
    }
    return Dhcp4Question{message, options_in(message)};
}

std::string tagged(std::uint8_t code, std::string_view value) {
    return std::string{static_cast<char>(code), static_cast<char>(value.size())}.append(value);
}

template <typename Octets>
std::string text_in(const Octets& octets) {
    return {octets.begin(), octets.end()};
}

// What the client is to fetch; empty: nothing.
std::string file_for(const SegmentGuest& guest, const Dhcp4Question& question) {
    const std::string host = text_of_ip(server4_of(guest.number));
    if (question.is_ipxe()) {
        return guest.script.empty() ? "" : place_of("http", host, guest.script);
    }
    if (guest.program.empty() || !question.is_firmware()) {
        return "";
    }
    return question.is_http() ? place_of("http", host, guest.program) : guest.program;
}

bool is_named_by_proxy(const SegmentGuest& guest, const Dhcp4Question& question) {
    return guest.by_proxy && !file_for(guest, question).empty();
}

// iPXE is spared its wait for a ProxyDHCP server, where none answers: 175.176 (src/net/udp/dhcp.c,
// no-pxedhcp). Where one does, what is for iPXE alone comes from that.
std::string users_options(const SegmentGuest& guest, const Dhcp4Question& question, bool all) {
    std::string text;
    std::string inside = "\xB0\x01\x01"s;
    for (const OfferOption& own : guest.options) {
        if (all) {
            (own.of_ipxe ? inside : text) += tagged(own.code, own.value);
        }
    }
    return text + (question.is_ipxe() && !is_named_by_proxy(guest, question) ? tagged(of_ipxe, inside) : "");
}

// The user's own go before ours, where they are sent. Who has an address already is given no time for one
// (RFC 2131, 4.3.5).
std::string address_options(const SegmentGuest& guest, const Dhcp4Question& question, bool with_users) {
    const auto unless_users = [&](std::uint8_t code, std::string_view value) {
        const bool is_users = with_users && std::any_of(guest.options.begin(), guest.options.end(),
                                                        [&](const OfferOption& own) {
                                                            return !own.of_ipxe && own.code == code;
                                                        });
        return is_users ? "" : tagged(code, value);
    };
    return unless_users(of_mask, text_in(segment_mask)) +
           unless_users(of_dns, text_in(server4_of(guest.number))) +
           (question.kind() == Dhcp4Kind::inform ? "" : tagged(of_lease, ten_days));
}

std::string head_of_answer(const SegmentGuest& guest, const Dhcp4Question& question, Dhcp4Kind kind,
                           const std::string& file) {
    const bool gives = kind != Dhcp4Kind::nak && question.kind() != Dhcp4Kind::inform;
    const std::string nowhere(4, '\0');
    std::string text = "\x02\x01\x06\0"s;                              // BOOTREPLY
    text.append(question.message.part(4, 4).chars()).append(2, '\0');  // its number; seconds
    text.append(question.message.part(10, 2).chars());                 // flags
    text.append(kind == Dhcp4Kind::nak ? nowhere : std::string{question.client_address()});
    text += gives ? text_in(guest4_of(guest.number)) : nowhere;
    text += file.empty() ? nowhere : text_in(server4_of(guest.number));
    text += nowhere + std::string{question.message.part(28, 16).chars()} + std::string(64, '\0');
    std::string room = file.size() < room_for_file ? file : "";
    room.resize(room_for_file, '\0');
    return text + room + "\x63\x82\x53\x63"s;
}

std::string answer_of_kind(const SegmentGuest& guest, const Dhcp4Question& question, Dhcp4Kind kind,
                           bool with_users) {
    const bool names = kind != Dhcp4Kind::nak && !guest.by_proxy;
    const std::string file = names ? file_for(guest, question) : "";
    std::string text = head_of_answer(guest, question, kind, file);
    text += tagged(of_kind, std::string{static_cast<char>(kind)});
    text += tagged(of_server, text_in(server4_of(guest.number)));
    if (kind != Dhcp4Kind::nak) {
        text += address_options(guest, question, with_users);
        text += file.size() < room_for_file ? "" : tagged(of_file, file);
        text += question.is_http() && !file.empty() ? tagged(of_class, "HTTPClient") : "";
        text += users_options(guest, question, with_users);
    }
    if (const std::string_view client = question.option(of_client); !client.empty()) {
        text += tagged(of_client, client);  // RFC 6842
    }
    text += '\xFF';
    text.resize(std::max(text.size(), least_dhcp4_size), '\0');
    return text;
}

// What the client takes at most, and its link; the user's options do not always fit.
std::size_t largest_for(const SegmentGuest& guest, const Dhcp4Question& question) {
    const std::size_t said = bytes_of(question.option(of_largest)).be16(0);
    return std::min(std::max(said, least_everybody_takes + udp4_overhead), guest.mtu) - udp4_overhead;
}

std::optional<Dhcp4Kind> kind_for(const SegmentGuest& guest, const Dhcp4Question& question) {
    const std::string_view server = question.option(of_server);
    if (!server.empty() && server != text_in(server4_of(guest.number))) {
        return std::nullopt;
    }
    switch (question.kind()) {
        case Dhcp4Kind::discover:
            return Dhcp4Kind::offer;
        case Dhcp4Kind::inform:
            return Dhcp4Kind::ack;
        case Dhcp4Kind::request: {
            const std::string_view wanted = question.option(of_wanted_address);
            return (wanted.empty() ? question.client_address() : wanted) == text_in(guest4_of(guest.number))
                       ? Dhcp4Kind::ack
                       : Dhcp4Kind::nak;
        }
        default:
            return std::nullopt;
    }
}

ProxyOffer proxy_offer_to(const SegmentGuest& guest, const Dhcp4Question& question, std::string file) {
    ProxyOffer offer{question.message.be32(4), guest.mac, server4_of(guest.number), std::move(file), {}, {}};
    std::copy_if(guest.options.begin(), guest.options.end(), std::back_inserter(offer.options),
                 [&](const OfferOption& own) { return own.of_ipxe && question.is_ipxe(); });
    offer.vendor_class = question.is_http() ? "HTTPClient" : "PXEClient";
    offer.discovery = !question.is_http();
    return offer;
}

// iPXE: src/net/udp/dhcp.c (dhcp_request_options_data); edk2: PxeBcImpl.h, HttpBootDhcp4.h. They say the same
// of their size; iPXE says who it is by its hardware address (61), and edk2 does not.
Dhcp4Question search_of(BootClient client) {
    static const std::string head(dhcp4_options_at, '\0');
    Dhcp4Question question{bytes_of(head),
                           {{of_kind, {static_cast<char>(Dhcp4Kind::discover)}}, {of_largest, "\x05\xC0"}}};
    switch (client) {
        case BootClient::ipxe:
            question.options.insert(
                {{of_user_class, "iPXE"}, {of_client, std::string(1 + Mac{}.size(), '\1')}});
            break;
        case BootClient::pxe:
            question.options.emplace(of_class, "PXEClient");
            break;
        case BootClient::http:
            question.options.emplace(of_class, "HTTPClient");
            break;
    }
    return question;
}

}  // namespace

AnswerSize dhcp4_answer_size(const SegmentGuest& guest, BootClient client) {
    const Dhcp4Question question = search_of(client);
    return {answer_of_kind(guest, question, Dhcp4Kind::offer, true).size(), largest_for(guest, question)};
}

std::optional<std::string> dhcp4_answer(const SegmentGuest& guest, std::string_view frame) {
    constexpr std::uint16_t server_port = 67;
    constexpr std::uint16_t client_port = 68;
    const auto read = read_udp4(frame);
    if (!read || read->ends.to_port != server_port) {
        return std::nullopt;
    }
    const auto question = question_in(guest, bytes_of(read->payload));
    const auto kind = question ? kind_for(guest, *question) : std::nullopt;
    if (!kind) {
        return std::nullopt;
    }
    std::string message = answer_of_kind(guest, *question, *kind, true);
    if (message.size() > largest_for(guest, *question)) {
        message = answer_of_kind(guest, *question, *kind, false);
    }
    // To everybody on the link, unless the client says that it has an address (RFC 2131, 4.1).
    const bool has_address = *kind != Dhcp4Kind::nak && question->client_address() != "\0\0\0\0"sv;
    FrameEnds<Ip4> ends{{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
                        server4_of(guest.number),
                        {255, 255, 255, 255},
                        server_port,
                        client_port};
    if (has_address) {
        ends.to_mac = guest.mac;
        std::copy_n(question->client_address().begin(), ends.to.size(), ends.to.begin());
    }
    return udp_frame(ends, message);
}

std::vector<std::string> proxy4_answers(const SegmentGuest& guest, std::string_view frame) {
    const auto read = read_udp4(frame);
    const auto question = read && guest.by_proxy ? question_in(guest, bytes_of(read->payload)) : std::nullopt;
    std::string file = question ? file_for(guest, *question) : "";
    if (file.empty()) {
        return {};
    }
    ProxyOffer offer = proxy_offer_to(guest, *question, std::move(file));
    if (read->ends.to_port == boot_server_port) {
        offer.answers = {{read->ends.from, read->ends.from_port}, {offer.server, boot_server_port}};
        return {proxy_offer(offer)};
    }
    if (read->ends.to_port != dhcp_server_port || question->kind() != Dhcp4Kind::discover) {
        return {};
    }
    std::vector<std::string> frames{proxy_offer(offer)};
    if (!question->is_ipxe() && !question->is_http()) {  // UEFI's PXE (netserve/proxy_offer.h)
        offer.discovery = false;
        frames.push_back(proxy_offer(offer));
    }
    return frames;
}

}  // namespace vml::serve
