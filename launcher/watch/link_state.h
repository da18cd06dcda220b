// What a bridge or a lower device looks like, in words, for a boot that got no answer. Pure, but for
// link_state_now.
#pragma once

#include <string>
#include <vector>

#include "bootwatch/verdict.h"
#include "netsetup/host_facts.h"

namespace vml {

// `bridge`, and the port on it that is the guest's own ("": there is none); or a lower device.
[[nodiscard]] std::vector<std::string> state_of_bridge(const std::string& bridge, const std::string& own_port,
                                                       const net::HostNetworkFacts& facts);
[[nodiscard]] std::vector<std::string> state_of_device(const std::string& device,
                                                       const net::HostNetworkFacts& facts);

// Of the guest's network as it is now; nothing where it is QEMU's own, or cannot be read. Asks the kernel.
[[nodiscard]] std::vector<std::string> link_state_now(const boot::Circumstances& about,
                                                      const std::string& own_port);

}  // namespace vml
