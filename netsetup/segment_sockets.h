// The sockets that serve a guest on an isolated segment, in the calling thread's network namespace. None
// blocks. All throw Error, and give nothing where another's socket has that address and port. Makes system
// calls.
#pragma once

#include <cstdint>

#include "base/fd.h"
#include "base/segment_place.h"

namespace vml::net {

inline constexpr std::uint16_t http_port = 80;
inline constexpr std::uint16_t tftp_port = 69;
inline constexpr std::uint16_t dns_port = 53;
inline constexpr std::uint16_t dhcp_port = 67;

// TCP, listening.
[[nodiscard]] OwnedFd listen_at(const Ip4& address, std::uint16_t port);
[[nodiscard]] OwnedFd listen_at(const Ip6& address, std::uint16_t port);
// UDP.
[[nodiscard]] OwnedFd datagrams_at(const Ip4& address, std::uint16_t port);
[[nodiscard]] OwnedFd datagrams_at(const Ip6& address, std::uint16_t port);
// That nobody reads, with as little room as there can be.
[[nodiscard]] OwnedFd unread_datagrams_at(const Ip4& address, std::uint16_t port);

// A packet socket that sees what the guest at the tap's other end asks of a DHCP server, over IPv4 or IPv6,
// or of a router, and nothing else; what is sent through it goes to that guest.
[[nodiscard]] OwnedFd open_question_capture(int link_index);

}  // namespace vml::net
