#include "netserve/discover.h"

#include <array>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <utility>

#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid.hpp>

#include "base/probe_mark.h"
#include "netserve/dhcp_frame.h"
#include "netserve/frame_bytes.h"

namespace vml::serve {

namespace {

using namespace std::string_view_literals;

// What is asked for, as a PXE client must (PXE specification 2.1, table 2-1), and what iPXE takes beside it:
// mask, router, name servers, host name, domain, root path, vendor's options, server's name and file, iPXE's
// own options, and PXE's.
constexpr auto wanted_options = "\x01\x03\x06\x0C\x0F\x11\x2B\x3C\x42\x43\xAF\xCB"sv;

// RFC 4578, 2.3: type 0, and as SMBIOS has it, whose first three fields have their low byte first
// (SMBIOS 3.0, 7.2.1). iPXE and edk2 send it so.
std::string uuid_option(const std::string& text) {
    constexpr std::array<std::size_t, 16> order{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    const boost::uuids::uuid uuid = boost::uuids::string_generator{}(text);
    std::string value(1, '\0');
    for (const std::size_t place : order) {
        value += static_cast<char>(*std::next(uuid.begin(), static_cast<std::ptrdiff_t>(place)));
    }
    return value;
}

// RFC 4578, 2.2: type 1, and the version of UNDI that the vendor class ends with, "UNDI:003010".
std::string undi_option(std::string_view vendor_class) {
    constexpr std::size_t digits = 3;  // of each
    const std::size_t end = vendor_class.size();
    if (end < 2 * digits || vendor_class.find("UNDI:") == std::string_view::npos) {
        return "\x01\x02\x01";
    }
    std::string value{'\x01'};
    for (const std::size_t at : {end - 2 * digits, end - digits}) {
        int number = 0;
        for (const char digit : vendor_class.substr(at, digits)) {
            number = number * 10 + (digit - '0');
        }
        value += static_cast<char>(number);
    }
    return value;
}

std::string value_of(std::uint8_t code, const Discover& question) {
    switch (code) {
        case 53:
            return "\x01";  // DHCPDISCOVER
        case 55:
            return std::string{wanted_options};
        case 57:
            return "\x05\xC0";  // messages of 1,472 bytes are taken, as by iPXE
        case 60:
            return question.vendor_class;
        case 61:  // RFC 2132, 9.14: the hardware's type, and its address
            return question.user_class.empty()
                       ? ""
                       : "\x01" + std::string{question.client.begin(), question.client.end()};
        case 77:
            return question.user_class;
        case 93:
            return be16(question.arch);
        case 94:
            return undi_option(question.vendor_class);
        case 97:
            return uuid_option(question.uuid);
        default:
            return {};
    }
}

}  // namespace

std::uint32_t probe_xid(std::uint64_t any) {
    constexpr std::uint64_t lower_half = 0xFFFF;
    return probe_number | static_cast<std::uint32_t>(any & lower_half);
}

std::string discover(const Discover& question) {
    const std::string mac{question.client.begin(), question.client.end()};
    std::string text = dhcp_header({'\x01', question.xid, mac, {}, {}, {}});
    for (const std::uint8_t code : probe_options) {
        const std::string value = value_of(code, question);
        text += value.empty() ? "" : dhcp_option(static_cast<char>(code), value);
    }
    return dhcp_frame({everybody_mac, {}, everybody, dhcp_client_port, dhcp_server_port, question.client},
                      std::move(text));
}

}  // namespace vml::serve
