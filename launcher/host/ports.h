// The ports of the host that QEMU is to listen on: each is tried, and given back at once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/settings/settings.h"
#include "launcher/vm/facts.h"

namespace vml {

// Of the settings' forwards and screen. A port that is free now may be taken a moment later: QEMU's own words
// tell of that.
[[nodiscard]] std::vector<PortObstacle> look_at_ports(const Settings& settings, const HostFacts& facts);

// A listening socket's inode in the text of /proc/net/tcp or /proc/net/udp (Linux,
// Documentation/networking/proc_net_tcp.rst), by its port. Pure.
[[nodiscard]] std::optional<std::string> inode_of_port(std::string_view table, std::uint16_t port);

}  // namespace vml
