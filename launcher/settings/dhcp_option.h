// --dhcp-option N=VALUE: one DHCP option that the guest's boot files rely on. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "launcher/settings/settings.h"

namespace vml {

inline constexpr std::uint8_t vendor_options = 43;  // RFC 2132, 8.4: PXE's own are inside

// "209=grub.cfg", "path-prefix=…", "175.83=u8:1". Throws ValueError.
[[nodiscard]] DhcpOption parse_dhcp_option(std::string_view text);

// "209 (config-file)", "175.83".
[[nodiscard]] std::string to_string(const DhcpOption& option);

}  // namespace vml
