#include "netsetup/forwarding.h"

#include <array>
#include <cstring>

#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <sys/socket.h>

#include "base/error.h"
#include "netsetup/failure.h"

namespace vml::net {

namespace {

using Table = std::array<nlattr*, NDA_MAX + 1>;

template <typename T>
T value_of(const Table& table, std::size_t type) {
    T value{};
    nlattr* const attribute = table.at(type);
    if (attribute != nullptr && nla_len(attribute) >= static_cast<int>(sizeof value)) {
        std::memcpy(&value, nla_data(attribute), sizeof value);
    }
    return value;
}

// The kernel takes the header of a link with its master for "of this bridge alone" (net/core/rtnetlink.c,
// valid_fdb_dump_legacy): what iproute2 asks.
NlMessage table_request(int bridge) {
    NlMessage message{nlmsg_alloc_simple(RTM_GETNEIGH, NLM_F_DUMP)};
    ifinfomsg header{};
    header.ifi_family = AF_BRIDGE;
    (void)nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
    (void)nla_put_u32(message.get(), IFLA_MASTER, static_cast<std::uint32_t>(bridge));
    return message;
}

}  // namespace

std::optional<ForwardingEntry> parse_forwarding(const nlmsghdr& message) {
    constexpr std::uint32_t ticks_per_second = 100;  // USER_HZ
    auto* header = for_libnl(message);
    Table table{};
    if (message.nlmsg_type != RTM_NEWNEIGH || nlmsg_valid_hdr(header, sizeof(ndmsg)) == 0 ||
        nlmsg_parse(header, sizeof(ndmsg), table.data(), NDA_MAX, nullptr) != 0) {
        return std::nullopt;
    }
    const auto* body = static_cast<const ndmsg*>(nlmsg_data(header));
    // what a device filters by itself (NTF_SELF) has no master
    if (body->ndm_family != AF_BRIDGE || table.at(NDA_MASTER) == nullptr || table.at(NDA_LLADDR) == nullptr) {
        return std::nullopt;
    }
    ForwardingEntry entry;
    entry.bridge = value_of<int>(table, NDA_MASTER);
    entry.port = body->ndm_ifindex;
    entry.mac = value_of<Mac>(table, NDA_LLADDR);
    entry.vlan = value_of<std::uint16_t>(table, NDA_VLAN);
    entry.local = (body->ndm_state & NUD_PERMANENT) != 0;
    entry.set_by_hand = (body->ndm_state & (NUD_PERMANENT | NUD_NOARP)) != 0;
    entry.silent_for =
        std::chrono::seconds{value_of<nda_cacheinfo>(table, NDA_CACHEINFO).ndm_updated / ticks_per_second};
    return entry;
}

std::vector<ForwardingEntry> list_forwarding(NetlinkSocket& socket, int bridge) {
    std::vector<ForwardingEntry> entries;
    const NlMessage request = table_request(bridge);
    const Answer answer = socket.query(
        *request, [&] { entries.clear(); },
        [&](const nlmsghdr& message) {
            const auto entry = parse_forwarding(message);
            if (entry && entry->bridge == bridge) {
                entries.push_back(*entry);
            }
        });
    if (!answer.ok() && answer.error_number != ENODEV) {
        throw Error{failure(Step::read_links, "cannot read the bridge's forwarding table",
                            answer.error_number, answer.text)};
    }
    return entries;
}

}  // namespace vml::net
