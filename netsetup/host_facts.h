// What a host's network offers to a VM. Reads only; every system call for it is in host_facts.cpp and
// forward_policy.cpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "netsetup/forwarding.h"
#include "netsetup/links.h"

namespace vml::net {

struct HostNetworkFacts {
    std::vector<Link> links{};
    int tun_error = 0;       // errno of opening /dev/net/tun; 0: it can be opened
    bool net_admin = false;  // CAP_NET_ADMIN is effective
    bool sys_admin = false;  // CAP_SYS_ADMIN is effective
    // /proc/sys/net/bridge/bridge-nf-call-iptables: the host's IPv4 firewall sees what a bridge forwards
    bool bridge_calls_iptables = false;
    // the firewall drops what no rule of its FORWARD chain accepts
    bool forward_drops = false;
    // what the bridges that were named know of who is where; none: what changes with every frame was not
    // asked for
    std::optional<std::vector<ForwardingEntry>> forwarding{};
    bool in_container = false;  // as the caller knows; what is missing may be the host's

    bool operator==(const HostNetworkFacts&) const = default;
};

// Whether this process may make a network namespace: what HostNetworkFacts::sys_admin says, asked for alone.
[[nodiscard]] bool may_make_netns();

// Of the calling thread's network namespace, `forwarding` left out. Throws Error when the links cannot be
// read.
[[nodiscard]] HostNetworkFacts host_network_facts();

// What these bridges have in their forwarding tables; those that are not there have nothing. Throws Error.
[[nodiscard]] std::vector<ForwardingEntry> forwarding_of(const std::vector<std::string>& bridges,
                                                         const std::vector<Link>& links);

}  // namespace vml::net
