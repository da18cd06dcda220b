#include "netserve/dns_answer.h"

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/text.h"
#include "netserve/frame_bytes.h"

namespace vml::serve {

namespace {

using namespace std::string_literals;

// RFC 1035, 4.1.1
constexpr std::size_t dns_head = 12;
constexpr std::uint16_t is_response = 0x8000;
constexpr std::uint16_t opcode_bits = 0x7800;
constexpr std::uint16_t authoritative = 0x0400;
constexpr std::uint16_t recursion_desired = 0x0100;
enum DnsError : std::uint16_t { dns_no_error = 0, dns_bad_format = 1, dns_no_name = 3, dns_not_done = 4 };

// RFC 1035, 3.2.2 and 3.2.4; RFC 3596 (28).
enum DnsType : std::uint16_t { dns_a = 1, dns_aaaa = 28, dns_any = 255 };
constexpr std::uint16_t dns_internet = 1;

struct DnsName {
    std::string text;      // with dots between its labels
    std::size_t size = 0;  // as it is written
};

// Of a question: it points nowhere.
std::optional<DnsName> dns_name_at(Bytes message, std::size_t at) {
    constexpr std::size_t longest_label = 63;
    constexpr std::size_t longest_name = 255;
    DnsName name;
    for (;;) {
        const std::size_t length = message.u8(at + name.size);
        if (length > longest_label || !message.has(at + name.size, length + 1) || name.size > longest_name) {
            return std::nullopt;
        }
        name.size += length + 1;
        if (length == 0) {
            return name;
        }
        name.text += name.text.empty() ? "" : ".";
        name.text.append(message.part(at + name.size - length, length).chars());
    }
}

std::string dns_header(Bytes asked, std::uint16_t error, std::size_t questions, std::size_t answers) {
    const auto flags = static_cast<std::uint16_t>(is_response | authoritative | error |
                                                  (asked.be16(2) & (opcode_bits | recursion_desired)));
    return std::string{asked.part(0, 2).chars()} + be16(flags) + be16(questions) + be16(answers) +
           "\0\0\0\0"s;
}

template <typename Ip>
std::string dns_record(std::uint16_t type, const Ip& address) {
    constexpr std::size_t a_minute = 60;
    return "\xC0\x0C"s + be16(type) + be16(dns_internet) + "\0\0"s + be16(a_minute) + be16(address.size()) +
           std::string{address.begin(), address.end()};
}

}  // namespace

std::optional<std::string> dns_answer(const SegmentGuest& guest, std::string_view datagram) {
    const Bytes asked = bytes_of(datagram);
    if (!asked.has(0, dns_head) || (asked.be16(2) & is_response) != 0) {
        return std::nullopt;
    }
    if ((asked.be16(2) & opcode_bits) != 0) {
        return dns_header(asked, dns_not_done, 0, 0);
    }
    const auto name = asked.be16(4) == 1 ? dns_name_at(asked, dns_head) : std::nullopt;
    if (!name || !asked.has(dns_head + name->size, 4)) {
        return dns_header(asked, dns_bad_format, 0, 0);
    }
    const std::string question{asked.part(dns_head, name->size + 4).chars()};
    const std::uint16_t type = asked.be16(dns_head + name->size);
    const std::uint16_t dns_class = asked.be16(dns_head + name->size + 2);
    if (lower(name->text) != boot_name || (dns_class != dns_internet && dns_class != dns_any)) {
        return dns_header(asked, dns_no_name, 1, 0) + question;
    }
    const bool four = type == dns_a || type == dns_any;
    const bool six = guest.with_ip6 && (type == dns_aaaa || type == dns_any);
    return dns_header(asked, dns_no_error, 1, (four ? 1U : 0U) + (six ? 1U : 0U)) + question +
           (four ? dns_record(dns_a, server4_of(guest.number)) : "") +
           (six ? dns_record(dns_aaaa, server6_of(guest.number)) : "");
}

}  // namespace vml::serve
