// The mark on the DHCPDISCOVERs by which vm-launch asks networks what they offer (netserve/discover.h), so
// that nobody who reads a capture takes one for a machine's boot. Servers look at none of it. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace vml {

// The upper half of the question's number (xid; RFC 2131, 2): "VL". Clients choose theirs at random.
inline constexpr std::uint32_t probe_number = 0x564C0000;

// The options' order, which no client's is: iPXE's begin with 53, 57, 93 (src/net/udp/dhcp.c,
// dhcp_request_options_data), edk2's with 53, 57, 55 (NetworkPkg, PxeBcBuildDhcp4Options), those of systems
// with 53, 61 or 53, 50. 77 and 61 are in the name of iPXE alone.
inline constexpr std::array<std::uint8_t, 9> probe_options{53, 97, 94, 93, 77, 61, 60, 57, 55};

[[nodiscard]] bool is_probe_number(std::uint32_t xid);

// Is this DISCOVER one of those? `options`: its options' codes, in order; the first of them where the capture
// cut the frame. A relay adds its own behind them.
[[nodiscard]] bool has_probe_mark(std::uint32_t xid, std::span<const std::uint8_t> options, bool cut = false);

}  // namespace vml
