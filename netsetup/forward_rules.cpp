#include "netsetup/forward_rules.h"

#include <array>
#include <cstdint>
#include <cstring>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <netlink/attr.h>

#include "netsetup/netlink.h"

namespace vml::net {

namespace {

std::uint32_t big_endian_number(nlattr* attribute, std::uint32_t fallback) {
    const bool readable =
        attribute != nullptr && nla_len(attribute) >= static_cast<int>(sizeof(std::uint32_t));
    return readable ? ntohl(nla_get_u32(attribute)) : fallback;
}

}  // namespace

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

bool rule_drops(std::span<const char> table, std::size_t offset) {
    constexpr int drop = -NF_DROP - 1;  // x_tables' form of a verdict
    ipt_entry rule{};
    int verdict = 0;
    if (offset > table.size() || table.size() - offset < sizeof rule) {
        return false;
    }
    std::memcpy(&rule, &table[offset], sizeof rule);
    const std::size_t position = offset + rule.target_offset + sizeof(xt_entry_target);
    if (position + sizeof verdict > table.size()) {
        return false;
    }
    std::memcpy(&verdict, &table[position], sizeof verdict);
    return verdict == drop;
}

}  // namespace vml::net
