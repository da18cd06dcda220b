// A view of the frames on one link: a packet socket (packet(7)), bound to it. Makes system calls.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <sys/types.h>

#include "base/fd.h"
#include "netsetup/datagram_filter.h"

namespace vml::net {

// Frames longer than this are cut: enough for DHCP, for the heads of HTTP messages and for telling a kernel
// by its first bytes, and little to copy for each frame of a large file.
inline constexpr std::size_t capture_length = 1024;

// Sees every frame that the link carries in either direction, each once, without blocking. In the network
// namespace of the calling thread; needs CAP_NET_RAW. Throws Error.
[[nodiscard]] OwnedFd open_capture(int link_index);

// The next frame, or as much of it as there is room for: bytes, 0 or less as of read(2). `length`: of all of
// it. `outgoing`: it leaves over the link, so that of a tap it goes to the guest.
struct CapturedFrame {
    ssize_t count = -1;
    std::size_t length = 0;
    bool outgoing = false;
};
[[nodiscard]] CapturedFrame read_frame(int fd, std::span<char> room) noexcept;

// Stops the view at no cost for what the link carries, and starts it again. Needs no privilege. False when
// the link has gone.
bool pause_capture(int fd, int link_index) noexcept;
bool resume_capture(int fd, int link_index) noexcept;

// Where connections go to, over IPv4; the address is in network byte order.
struct TcpTarget {
    std::array<std::uint8_t, 4> address{};
    std::uint16_t port = 0;
    bool operator==(const TcpTarget&) const = default;
};

// Sees nothing but the first segments of connections to there, as open_capture sees all: what comes is kept
// until it is read.
[[nodiscard]] OwnedFd open_connection_capture(int link_index, const TcpTarget& target);

// Sees nothing but datagrams to there, whole frames of them, and takes frames for the link's other end.
[[nodiscard]] OwnedFd open_datagram_capture(int link_index, const DatagramTarget& target);

// Frames that came faster than they were read, since the last call (PACKET_STATISTICS).
[[nodiscard]] unsigned lost_frames(int fd) noexcept;

// errno that making a packet socket would give for lack of a privilege; 0: it can be made. None is made to
// find out: closing it would wait for the kernel's RCU, 10 ms (net/packet/af_packet.c, packet_release).
[[nodiscard]] int capture_obstacle() noexcept;

}  // namespace vml::net
