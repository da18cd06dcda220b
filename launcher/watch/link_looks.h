// What a bridge or a lower device looks like, in words, for a boot that got no answer. Pure.
#pragma once

#include <string>
#include <vector>

#include "netsetup/host_facts.h"

namespace vml {

// `bridge`, and the port on it that is the guest's own ("" where that is not known); or a lower device.
[[nodiscard]] std::vector<std::string> looks_of_bridge(const std::string& bridge, const std::string& own_port,
                                                       const net::HostNetworkFacts& facts);
[[nodiscard]] std::vector<std::string> looks_of_device(const std::string& device,
                                                       const net::HostNetworkFacts& facts);

}  // namespace vml
