#include "netsetup/forward_policy.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <netlink/attr.h>
#include <netlink/netlink.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/fd.h"
#include "netsetup/netlink.h"

namespace vml::net {

namespace {

std::uint32_t big_endian_number(nlattr* attribute, std::uint32_t fallback) {
    const bool readable =
        attribute != nullptr && nla_len(attribute) >= static_cast<int>(sizeof(std::uint32_t));
    return readable ? ntohl(nla_get_u32(attribute)) : fallback;
}

// One NFT_MSG_NEWCHAIN of the reply.
bool chain_drops_forwarded(const nlmsghdr& message) {
    auto* header = for_libnl(message);
    std::array<nlattr*, NFTA_CHAIN_MAX + 1> chain{};
    std::array<nlattr*, NFTA_HOOK_MAX + 1> hook{};
    if (nlmsg_parse(header, sizeof(nfgenmsg), chain.data(), NFTA_CHAIN_MAX, nullptr) < 0 ||
        chain[NFTA_CHAIN_HOOK] == nullptr ||
        nla_parse_nested(hook.data(), NFTA_HOOK_MAX, chain[NFTA_CHAIN_HOOK], nullptr) < 0) {
        return false;
    }
    const auto* family = static_cast<const nfgenmsg*>(nlmsg_data(header));
    const bool sees_ipv4 = family->nfgen_family == NFPROTO_IPV4 || family->nfgen_family == NFPROTO_INET;
    return sees_ipv4 && big_endian_number(hook[NFTA_HOOK_HOOKNUM], NF_INET_NUMHOOKS) == NF_INET_FORWARD &&
           big_endian_number(chain[NFTA_CHAIN_POLICY], NF_ACCEPT) == NF_DROP;
}

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

// The verdict of the rule at `offset`, in the form of x_tables: -1 - NF_DROP for a drop.
int verdict_at(const std::vector<char>& rules, std::size_t offset) {
    ipt_entry rule{};
    int verdict = 0;
    if (offset + sizeof rule > rules.size()) {
        return 0;
    }
    std::memcpy(&rule, &rules[offset], sizeof rule);
    const std::size_t position = offset + rule.target_offset + sizeof(xt_entry_target);
    if (position + sizeof verdict > rules.size()) {
        return 0;
    }
    std::memcpy(&verdict, &rules[position], sizeof verdict);
    return verdict;
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
    constexpr int drop = -NF_DROP - 1;
    return verdict_at(reply, header_size + info.underflow[NF_INET_FORWARD]) == drop;
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
