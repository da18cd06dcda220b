#include "netserve/dhcp_frame.h"

#include "netserve/frame_bytes.h"

namespace vml::serve {

namespace {

using namespace std::string_literals;

// RFC 951: what a relay of old passes on.
constexpr std::size_t least_bootp_size = 300;
// RFC 2131, 2
constexpr std::size_t header_room_for_address = 4;
constexpr std::size_t header_room_for_hardware = 16;
constexpr std::size_t header_room_for_server_name = 64;

}  // namespace

std::string dhcp_option(char code, std::string_view value) {
    return std::string{code, static_cast<char>(value.size())}.append(value);
}

std::string padded(std::string text, std::size_t size) {
    text.resize(size, '\0');
    return text;
}

std::string dhcp_header(const DhcpHeader& header) {
    std::string text = header.op + "\x01\x06\0"s + be32(header.xid);       // Ethernet, 6 bytes, no relay
    text += "\0\0"s + (header.has_address.empty() ? "\x80\0"s : "\0\0"s);  // seconds, to everybody
    text += padded(header.has_address, header_room_for_address);
    text += std::string(header_room_for_address, '\0');  // yiaddr
    text += padded(header.next_server, header_room_for_address);
    text += std::string(header_room_for_address, '\0');  // giaddr
    text += padded(header.client, header_room_for_hardware);
    text += std::string(header_room_for_server_name, '\0');
    text += padded(header.file, room_for_file);
    return text + "\x63\x82\x53\x63"s;
}

std::string dhcp_frame(const FrameEnds<Ip4>& ends, std::string message) {
    message += '\xFF';
    if (message.size() < least_bootp_size) {
        message.resize(least_bootp_size, '\0');
    }
    return udp_frame(ends, message);
}

}  // namespace vml::serve
