// Which frames of a link tell how machines boot from the network, and how much of each: as a program of
// classic BPF for a packet socket. Pure.
//
// Sources: Ethernet II and IEEE 802.1Q; IPv4 RFC 791; UDP RFC 768; TCP RFC 9293; TFTP RFC 1350.
#pragma once

#include <cstddef>
#include <vector>

#include <linux/filter.h>

namespace vml::net {

// Of DHCP, DNS, and requests of TFTP: no message that counts is longer, and a block of the ring that takes
// the frames holds as much (frame_ring.cpp).
inline constexpr std::size_t whole_length = 0x8000;
// Of most frames so many bytes are of use: enough for the heads of HTTP messages, for telling a kernel by its
// first bytes, and for any frame of an ordinary Ethernet link whole.
inline constexpr std::size_t head_length = 2048;
// Of TFTP's later blocks: their headers.
inline constexpr std::size_t block_head_length = 64;
// As many blocks of 512 bytes as a script may have that is kept (bootwatch/bounds.h), and some more.
inline constexpr unsigned last_whole_block = 40;

// ARP, and UDP, TCP and ICMP over IPv4 and IPv6. Not what fills links and is of no boot program: later
// fragments, and what passes over connections of SSH, SMB and NFS. A tag within the frame is not looked
// behind: such a frame passes.
[[nodiscard]] std::vector<sock_filter> boot_filter();

}  // namespace vml::net
