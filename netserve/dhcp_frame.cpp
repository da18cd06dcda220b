#include "netserve/dhcp_frame.h"

#include <utility>

#include "netserve/frame_bytes.h"

namespace vml::serve {

namespace {

using namespace std::string_view_literals;
using namespace std::string_literals;

constexpr std::string_view everybody_mac = "\xFF\xFF\xFF\xFF\xFF\xFF"sv;
constexpr std::string_view ipv4_type = "\x08\0"sv;
constexpr std::string_view everybody = "\xFF\xFF\xFF\xFF"sv;
constexpr std::size_t ip_header_size = 20;
constexpr std::size_t udp_header_size = 8;
// RFC 951: what a relay of old passes on.
constexpr std::size_t least_bootp_size = 300;
// RFC 2131, 2
constexpr std::size_t header_room_for_address = 4;
constexpr std::size_t header_room_for_hardware = 16;
constexpr std::size_t header_room_for_server_name = 64;

std::string be32(std::uint32_t value) {
    return be16(value >> 16U) + be16(value);
}

// RFC 791, 3.1: version and length, type of service, length, identification, fragment, time to live, UDP.
std::string ip_header(std::size_t size, std::size_t sum, std::string_view from) {
    return "\x45\0"s + be16(size) + "\0\0\0\0\x40\x11"s + be16(sum) + std::string{from} +
           std::string{everybody};
}

}  // namespace

std::string dhcp_option(char code, std::string_view value) {
    return std::string{code, static_cast<char>(value.size())}.append(value);
}

std::string padded(std::string text, std::size_t size) {
    text.resize(size, '\0');
    return text;
}

std::string dhcp_header(const DhcpHeader& header) {
    std::string text = header.op + "\x01\x06\0"s + be32(header.xid);  // Ethernet, 6 bytes, no relay
    text += "\0\0\x80\0"s;                                            // seconds, to everybody
    text += std::string(2 * header_room_for_address, '\0');           // ciaddr, yiaddr
    text += padded(header.next_server, header_room_for_address);
    text += std::string(header_room_for_address, '\0');  // giaddr
    text += padded(header.client, header_room_for_hardware);
    text += std::string(header_room_for_server_name, '\0');
    text += padded(header.file, room_for_file);
    return text + "\x63\x82\x53\x63"s;
}

std::string dhcp_frame(const DhcpWay& way, std::string message) {
    std::string dhcp = std::move(message) + '\xFF';
    if (dhcp.size() < least_bootp_size) {
        dhcp = padded(std::move(dhcp), least_bootp_size);
    }
    const std::size_t udp_size = udp_header_size + dhcp.size();
    const std::size_t size = ip_header_size + udp_size;
    // A checksum of 0 is none (RFC 768).
    const std::string udp = std::string{'\0', way.from_port, '\0', way.to_port} + be16(udp_size) + "\0\0"s;
    return std::string{everybody_mac} + std::string{way.mac} + std::string{ipv4_type} +
           ip_header(size, checksum(ip_header(size, 0, way.address)), way.address) + udp + dhcp;
}

}  // namespace vml::serve
