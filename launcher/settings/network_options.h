// The network beside the NICs themselves: what the built-in network serves and forwards. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "launcher/settings/option_row.h"

namespace vml {

[[nodiscard]] std::uint16_t parse_port(std::string_view text);
// "8080:80,2222:22".
[[nodiscard]] std::vector<PortForward> parse_port_forwards(std::string_view text);

// With the NICs' own.
[[nodiscard]] std::vector<OptionRow> network_options();

}  // namespace vml
