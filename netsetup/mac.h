// An Ethernet address.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vml::net {

using Mac = std::array<std::uint8_t, 6>;

// "52:54:00:12:34:56", or nothing when it is not six pairs of hexadecimal digits with colons between them.
[[nodiscard]] std::optional<Mac> parse_mac(std::string_view text);

[[nodiscard]] std::string to_text(const Mac& mac);

// The address for the host's end of a guest's tap. A bridge takes the lowest address of its ports as its own
// (net/bridge/br_stp_if.c, br_stp_recalculate_bridge_id), so the first octet is 0xFE, as libvirt has it: the
// bridge's address never changes because of a VM. A guest that has 0xFE itself gets 0xFA: with the guest's
// own address on the port the bridge would deliver the guest's frames to the host.
[[nodiscard]] Mac tap_mac_for(const Mac& guest);

}  // namespace vml::net
