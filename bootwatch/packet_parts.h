// What the parts of the decoder have of each other. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bootwatch/packet.h"

namespace vml::boot {

// Texts of packets are cut here.
inline constexpr std::size_t longest_text = 1024;

// What was no printable ASCII is '?'.
[[nodiscard]] std::string printable_text(std::string_view bytes);
// A text that some senders end with NULs.
[[nodiscard]] std::string text_option(std::string_view bytes);
[[nodiscard]] Mac mac_at(Bytes bytes, std::size_t offset);

// Of IPv4 and IPv6 (IANA, Assigned Internet Protocol Numbers).
inline constexpr std::uint8_t protocol_udp = 17;
inline constexpr std::uint8_t protocol_icmp6 = 58;

// See Packet::ipv6_routing. `payload` is what follows IPv6's fixed header, and may be cut short.
[[nodiscard]] bool shows_ipv6_routing(std::uint8_t next_header, Bytes payload);

// A datagram's payload, by what it is; nothing where it is none of that. `size` is the payload's on the wire,
// of which less may have been captured.
[[nodiscard]] std::optional<PacketBody> decode_dhcp(Bytes payload);
[[nodiscard]] std::optional<PacketBody> decode_dhcp6(Bytes payload);
[[nodiscard]] std::optional<PacketBody> decode_udp(const Packet& packet, Bytes payload, std::size_t size);

}  // namespace vml::boot
