#include "netsetup/host_facts.h"

#include <cerrno>
#include <fstream>

#include <cap-ng.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "netsetup/forward_policy.h"

namespace vml::net {

namespace {

int tun_error() {
    const OwnedFd fd{open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)};
    return fd ? 0 : errno;
}

bool has_capability(unsigned number) {
    return capng_get_caps_process() == 0 && capng_have_capability(CAPNG_EFFECTIVE, number) != 0;
}

// Missing where br_netfilter is not loaded; then the firewall does not see bridged frames.
bool bridge_calls_iptables() {
    std::ifstream file{"/proc/sys/net/bridge/bridge-nf-call-iptables"};
    int value = 0;
    return file >> value && value != 0;
}

}  // namespace

bool may_make_netns() {
    return has_capability(CAP_SYS_ADMIN);
}

HostNetworkFacts host_network_facts() {
    NetlinkSocket socket;
    HostNetworkFacts facts;
    facts.links = list_links(socket);
    for (const LinkAddress& own : list_addresses(socket)) {
        for (Link& link : facts.links) {
            if (link.index == own.link) {
                link.addresses.push_back(own.address);
            }
        }
    }
    facts.tun_error = tun_error();
    facts.net_admin = has_capability(CAP_NET_ADMIN);
    facts.sys_admin = may_make_netns();
    facts.bridge_calls_iptables = bridge_calls_iptables();
    // asked only when it matters: it needs a privilege, and reading the firewall may load modules
    facts.forward_drops = facts.bridge_calls_iptables && forward_policy_drops();
    return facts;
}

std::vector<ForwardingEntry> forwarding_of(const std::vector<std::string>& bridges,
                                           const std::vector<Link>& links) {
    NetlinkSocket socket;
    std::vector<ForwardingEntry> entries;
    for (const std::string& name : bridges) {
        const Link* bridge = link_named(links, name);
        if (bridge != nullptr && bridge->bridge) {
            const std::vector<ForwardingEntry> more = list_forwarding(socket, bridge->index);
            entries.insert(entries.end(), more.begin(), more.end());
        }
    }
    return entries;
}

}  // namespace vml::net
