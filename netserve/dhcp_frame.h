// What DHCP's messages have in common, from their options to the frame around them. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "netserve/udp_frame.h"

namespace vml::serve {

inline constexpr std::size_t room_for_file = 128;  // in the fixed part (RFC 2131, 2)

// RFC 2132: code, length, value, which is at most 255 bytes.
[[nodiscard]] std::string dhcp_option(char code, std::string_view value);

// With zeros behind it, or cut.
[[nodiscard]] std::string padded(std::string text, std::size_t size);

// The fields of RFC 2131, 2, that differ. Network byte order throughout.
struct DhcpHeader {
    char op = '\x01';  // BOOTREQUEST; 2: BOOTREPLY
    std::uint32_t xid = 0;
    std::string client{};       // the hardware address
    std::string next_server{};  // siaddr, 4 bytes
    std::string file{};         // of less than 128 bytes
    std::string has_address{};  // the client's, which it has already (ciaddr), 4 bytes; empty: none
};

// RFC 2131, 2, up to the options' cookie; the answer is to be sent to everybody (the
// broadcast flag) where the client has no address.
[[nodiscard]] std::string dhcp_header(const DhcpHeader& header);

inline constexpr std::uint16_t dhcp_server_port = 67;
inline constexpr std::uint16_t dhcp_client_port = 68;

// The Ethernet frame of a message that ends with its last option.
[[nodiscard]] std::string dhcp_frame(const FrameEnds<Ip4>& ends, std::string message);

}  // namespace vml::serve
