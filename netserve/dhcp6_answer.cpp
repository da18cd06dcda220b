#include "netserve/dhcp6_answer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>

#include "base/bytes.h"
#include "netserve/frame_bytes.h"
#include "netserve/udp_frame.h"

namespace vml::serve {

namespace {

using namespace std::string_view_literals;
using namespace std::string_literals;

// RFC 8415, 7.3
enum class Dhcp6Kind : std::uint8_t {
    solicit = 1,
    advertise = 2,
    request = 3,
    confirm = 4,
    renew = 5,
    rebind = 6,
    reply = 7,
    release = 8,
    decline = 9,
    information = 11
};

// RFC 8415, 21; RFC 3646 (23) and RFC 5970 (59).
enum Dhcp6Code : std::uint16_t {
    six_client = 1,
    six_server = 2,
    six_association = 3,
    six_address = 5,
    six_preference = 7,
    six_status = 13,
    six_rapid = 14,
    six_user_class = 15,
    six_vendor_class = 16,
    six_dns = 23,
    six_file = 59
};

enum Dhcp6Status : std::uint16_t { six_success = 0, six_not_on_link = 4 };

constexpr std::size_t dhcp6_head = 4;                        // kind and number
constexpr std::string_view for_ever = "\xFF\xFF\xFF\xFF"sv;  // RFC 8415, 7.7
constexpr std::string_view enterprise = "\0\0\x01\x57"sv;    // 343, whose classes PXE's and UEFI's are

// Of each option the first one.
struct Dhcp6Question {
    Bytes message;
    std::map<std::uint16_t, std::string> options;

    [[nodiscard]] Dhcp6Kind kind() const { return static_cast<Dhcp6Kind>(message.u8(0)); }
    [[nodiscard]] bool has(std::uint16_t code) const { return options.contains(code); }
    [[nodiscard]] std::string_view option(std::uint16_t code) const {
        const auto found = options.find(code);
        return found == options.end() ? std::string_view{} : std::string_view{found->second};
    }
    [[nodiscard]] bool is_ipxe() const {
        return option(six_user_class).find("iPXE") != std::string_view::npos;
    }
    [[nodiscard]] bool is_http() const {
        return option(six_vendor_class).find("HTTPClient") != std::string_view::npos;
    }
};

std::map<std::uint16_t, std::string> options6_in(Bytes text) {
    std::map<std::uint16_t, std::string> options;
    for (std::size_t at = 0; text.has(at, 4) && text.has(at + 4, text.be16(at + 2));) {
        const std::size_t length = text.be16(at + 2);
        options.try_emplace(text.be16(at), text.part(at + 4, length).chars());
        at += 4 + length;
    }
    return options;
}

std::string coded(std::uint16_t code, std::string_view value) {
    return be16(code) + be16(value.size()) + std::string{value};
}

template <typename Octets>
std::string octets_of(const Octets& octets) {
    return {octets.begin(), octets.end()};
}

// By its link-layer address (RFC 8415, 11.4).
std::string server_duid() {
    return "\0\x03\0\x01"s + std::string{segment_mac.begin(), segment_mac.end()};
}

// The association of the client's, with its one address.
std::string association(const SegmentGuest& guest, const Dhcp6Question& question) {
    const std::string_view wanted = question.option(six_association);
    if (wanted.size() < 12) {
        return "";
    }
    const std::string address = octets_of(guest6_of(guest.number)).append(for_ever).append(for_ever);
    const std::string times(8, '\0');  // as the client chooses
    return coded(six_association, std::string{wanted.substr(0, 4)} + times + coded(six_address, address));
}

// DHCPv6 knows no server that names a file beside the one that gives the address.
std::string boot_options(const SegmentGuest& guest, const Dhcp6Question& question) {
    if (guest.by_proxy) {
        return "";
    }
    const std::string host = "[" + text_of_ip(server6_of(guest.number)) + "]";
    if (question.is_ipxe()) {
        return guest.script.empty() ? "" : coded(six_file, place_of("http", host, guest.script));
    }
    // Not whoever only wants an address: an operating system.
    if (guest.program.empty() ||
        question.option(six_vendor_class).substr(0, enterprise.size()) != enterprise) {
        return "";
    }
    if (!question.is_http()) {
        return coded(six_file, place_of("tftp", host, guest.program));
    }
    return coded(six_file, place_of("http", host, guest.program)) +
           coded(six_vendor_class, std::string{enterprise} + "\0\x0AHTTPClient"s);
}

std::string status(Dhcp6Status code) {
    return coded(six_status, be16(code));
}

// Is an address that the client believes to have the one that it has?
bool confirms(const SegmentGuest& guest, const Dhcp6Question& question) {
    const std::string_view wanted = question.option(six_association);
    const auto inside = options6_in(bytes_of(wanted.substr(std::min<std::size_t>(12, wanted.size()))));
    const auto address = inside.find(six_address);
    return address != inside.end() && address->second.starts_with(octets_of(guest6_of(guest.number)));
}

// RFC 8415, 16: who must name this server, and who may name none.
bool is_meant(const Dhcp6Question& question) {
    const bool named = question.has(six_server);
    switch (question.kind()) {
        case Dhcp6Kind::solicit:
        case Dhcp6Kind::confirm:
        case Dhcp6Kind::rebind:
            return !named && question.has(six_client);
        case Dhcp6Kind::request:
        case Dhcp6Kind::renew:
        case Dhcp6Kind::release:
        case Dhcp6Kind::decline:
            return question.option(six_server) == server_duid() && question.has(six_client);
        case Dhcp6Kind::information:
            return !named || question.option(six_server) == server_duid();
        default:
            return false;
    }
}

std::string body_of_answer(const SegmentGuest& guest, const Dhcp6Question& question) {
    switch (question.kind()) {
        case Dhcp6Kind::confirm:
            return status(confirms(guest, question) ? six_success : six_not_on_link);
        case Dhcp6Kind::release:
        case Dhcp6Kind::decline:
            return status(six_success);
        case Dhcp6Kind::information:
            return boot_options(guest, question);
        case Dhcp6Kind::solicit:
            // The client need not wait for others (RFC 8415, 18.2.1).
            return association(guest, question) + coded(six_preference, "\xFF"sv) +
                   (question.has(six_rapid) ? coded(six_rapid, ""sv) : "") + boot_options(guest, question);
        default:
            return association(guest, question) + boot_options(guest, question);
    }
}

std::string answer_to_question(const SegmentGuest& guest, const Dhcp6Question& question) {
    const bool advertises = question.kind() == Dhcp6Kind::solicit && !question.has(six_rapid);
    std::string text{static_cast<char>(advertises ? Dhcp6Kind::advertise : Dhcp6Kind::reply)};
    text.append(question.message.part(1, 3).chars());
    text += question.has(six_client) ? coded(six_client, question.option(six_client)) : "";
    return text + coded(six_server, server_duid()) + body_of_answer(guest, question) +
           coded(six_dns, octets_of(server6_of(guest.number)));
}

}  // namespace

std::optional<std::string> dhcp6_answer(const SegmentGuest& guest, std::string_view frame) {
    constexpr std::uint16_t server_port = 547;
    constexpr std::size_t longest_duid = 130;  // RFC 8415, 11.1
    const auto read = read_udp6(frame);
    if (!read || read->ends.to_port != server_port || read->payload.size() < dhcp6_head) {
        return std::nullopt;
    }
    const Bytes message = bytes_of(read->payload);
    const Dhcp6Question question{message, options6_in(message.from(dhcp6_head))};
    if (!is_meant(question) || question.option(six_client).size() > longest_duid) {
        return std::nullopt;
    }
    return udp_frame(FrameEnds<Ip6>{read->ends.from_mac, segment_router, read->ends.from, server_port,
                                    read->ends.from_port},
                     answer_to_question(guest, question));
}

}  // namespace vml::serve
