// Whether the host's IPv4 firewall drops what it is asked to forward and no rule accepts.
#pragma once

namespace vml::net {

// True when a base chain at the forward hook has the policy drop, in nf_tables (NFT_MSG_GETCHAIN, families ip
// and inet; what iptables-nft writes too) or in the old iptables (the underflow entry of the table `filter`).
// Reads only, in the calling thread's network namespace; needs CAP_NET_ADMIN, and false is the answer without
// it.
[[nodiscard]] bool forward_policy_drops();

}  // namespace vml::net
