#include "netserve/discover.h"

#include <string_view>
#include <utility>

#include "netserve/dhcp_frame.h"
#include "netserve/frame_bytes.h"

namespace vml::serve {

namespace {

using namespace std::string_view_literals;

// What is asked for, as a PXE client must (PXE specification 2.1, table 2-1), and what iPXE takes beside it:
// mask, router, name servers, host name, domain, root path, vendor's options, server's name and file, iPXE's
// own options, and PXE's.
constexpr auto wanted = "\x01\x03\x06\x0C\x0F\x11\x2B\x3C\x42\x43\xAF\xCB"sv;

}  // namespace

std::string discover(const Discover& question) {
    const std::string mac{question.client.begin(), question.client.end()};
    std::string text = dhcp_header({'\x01', question.xid, mac, {}, {}, {}});
    text += dhcp_option('\x35', "\x01"sv);      // DHCPDISCOVER
    text += dhcp_option('\x39', "\x05\xC0"sv);  // messages of 1,472 bytes are taken, as by iPXE
    text += dhcp_option('\x5D', be16(question.arch));
    text += dhcp_option('\x5E', "\x01\x02\x01"sv);  // UNDI 2.1 (RFC 4578, 2.2)
    text += dhcp_option('\x3C', question.vendor_class);
    text += question.user_class.empty() ? "" : dhcp_option('\x4D', question.user_class);
    text += dhcp_option('\x37', wanted);
    text += dhcp_option('\x3D', "\x01" + mac);  // RFC 2132, 9.14: the hardware's type, and its address
    return dhcp_frame({everybody_mac, {}, everybody, dhcp_client_port, dhcp_server_port, question.client},
                      std::move(text));
}

}  // namespace vml::serve
