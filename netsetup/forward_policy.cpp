#include "netsetup/forward_policy.h"

#include <cstddef>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <arpa/inet.h>  // before the kernel's headers, which leave out what it defines
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/fd.h"
#include "netsetup/forward_rules.h"
#include "netsetup/netlink.h"

namespace vml::net {

namespace {

bool nf_tables_drop() {
    NetlinkSocket socket{NETLINK_NETFILTER};
    const NlMessage request{nlmsg_alloc_simple((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETCHAIN, NLM_F_DUMP)};
    const nfgenmsg every_family{NFPROTO_UNSPEC, NFNETLINK_V0, 0};
    auto body = every_family;
    (void)nlmsg_append(request.get(), &body, sizeof body, NLMSG_ALIGNTO);
    bool drops = false;
    const Answer answer = socket.query(
        *request, [&] { drops = false; },
        [&](const nlmsghdr& chain) { drops = drops || chain_drops_forwarded(chain); });
    return answer.ok() && drops;
}

// Asking the old iptables for a table makes it: look first whether there is one.
bool old_filter_table_exists() {
    std::ifstream file{"/proc/thread-self/net/ip_tables_names"};
    for (std::string name; file >> name;) {
        if (name == "filter") {
            return true;
        }
    }
    return false;
}

bool old_iptables_drop() {
    if (!old_filter_table_exists()) {
        return false;
    }
    const OwnedFd fd{socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)};
    ipt_getinfo info{};
    std::strncpy(&info.name[0], "filter", sizeof info.name - 1);
    socklen_t size = sizeof info;
    if (!fd || getsockopt(fd.get(), IPPROTO_IP, IPT_SO_GET_INFO, &info, &size) != 0) {
        return false;
    }
    // struct ipt_get_entries: the table's name, the size of the rules, and then the rules
    constexpr std::size_t header_size = sizeof(ipt_get_entries);
    std::vector<char> reply(header_size + info.size);
    std::memcpy(&reply[offsetof(ipt_get_entries, name)], &info.name[0], sizeof info.name);
    std::memcpy(&reply[offsetof(ipt_get_entries, size)], &info.size, sizeof info.size);
    size = static_cast<socklen_t>(reply.size());
    if (getsockopt(fd.get(), IPPROTO_IP, IPT_SO_GET_ENTRIES, reply.data(), &size) != 0) {
        return false;
    }
    return rule_drops(reply, header_size + info.underflow[NF_INET_FORWARD]);
}

}  // namespace

bool forward_policy_drops() {
    try {
        return nf_tables_drop() || old_iptables_drop();
    } catch (const Error&) {
        return false;  // no such firewall in this kernel
    }
}

}  // namespace vml::net
