// How the kernel shows what its firewall does with IPv4 packets that it is asked to forward. Pure.
#pragma once

#include <cstddef>
#include <span>

#include <linux/netlink.h>

namespace vml::net {

// Is it, in an NFT_MSG_NEWCHAIN message, a base chain at the forward hook with the policy drop?
[[nodiscard]] bool chain_drops_forwarded(const nlmsghdr& message);

// Is the rule at `offset` of the old iptables' table (struct ipt_entry) one that drops?
[[nodiscard]] bool rule_drops(std::span<const char> table, std::size_t offset);

}  // namespace vml::net
