// The network beside the NICs themselves: what the built-in network serves and forwards. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "launcher/settings/option_row.h"

namespace vml {

// Both want the same port of the same address.
[[nodiscard]] bool same_host_port(const PortForward& left, const PortForward& right);
[[nodiscard]] std::uint16_t parse_port(std::string_view text);
[[nodiscard]] bool is_ipv4(std::string_view text);
// "8080:80,udp:69:69,127.0.0.1:8000-8010:8000-8010": a forward for each port.
[[nodiscard]] std::vector<PortForward> parse_port_forwards(std::string_view text);

// With the NICs' own.
[[nodiscard]] std::vector<OptionRow> network_options();

}  // namespace vml
