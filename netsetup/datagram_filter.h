// Which frames carry UDP datagrams to an address of this host, or to some port of whoever: as a program of
// classic BPF, for a packet socket or for the kernel's traffic control, which both run it from the Ethernet
// header on. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <linux/filter.h>

namespace vml::net {

// The address is in network byte order.
struct DatagramTarget {
    std::array<std::uint8_t, 4> address{};
    std::vector<std::uint16_t> ports{};
    std::vector<std::uint16_t> everywhere{};         // ports of every address
    std::optional<std::uint16_t> everywhere_from{};  // the port that those come from; none: whichever
    bool operator==(const DatagramTarget&) const = default;
};

// The program gives `wanted` for these, and `other` for every other frame, later fragments among them.
[[nodiscard]] std::vector<sock_filter> datagram_filter(const DatagramTarget& target, std::uint32_t wanted,
                                                       std::uint32_t other);

}  // namespace vml::net
