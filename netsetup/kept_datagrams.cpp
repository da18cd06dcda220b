#include "netsetup/kept_datagrams.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include "base/error.h"
#include "netsetup/failure.h"

namespace vml::net {

namespace {

// linux/pkt_sched.h and pkt_cls.h have these as macros of C's casts.
constexpr std::uint32_t clsact = 0xFFFFFFF1;          // TC_H_CLSACT
constexpr std::uint32_t clsact_handle = 0xFFFF0000;   // TC_H_MAKE(TC_H_CLSACT, 0)
constexpr std::uint32_t clsact_ingress = 0xFFFFFFF2;  // TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
constexpr std::uint32_t first_priority = 1U << 16U;
constexpr std::uint32_t drop = 2;            // TC_ACT_SHOT
constexpr std::uint32_t go_on = 0xFFFFFFFF;  // TC_ACT_UNSPEC: to whatever filter comes next

NlMessage new_message(int type, const tcmsg& head, const char* kind) {
    NlMessage message{nlmsg_alloc_simple(type, NLM_F_CREATE | NLM_F_EXCL)};
    tcmsg header = head;
    (void)nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
    (void)nla_put_string(message.get(), TCA_KIND, kind);
    return message;
}

NlMessage queue_message(int index) {
    tcmsg head{};
    head.tcm_family = AF_UNSPEC;
    head.tcm_ifindex = index;
    head.tcm_parent = clsact;
    head.tcm_handle = clsact_handle;
    return new_message(RTM_NEWQDISC, head, "clsact");
}

NlMessage filter_message(int index, const DatagramTarget& target) {
    tcmsg head{};
    head.tcm_family = AF_UNSPEC;
    head.tcm_ifindex = index;
    head.tcm_parent = clsact_ingress;
    head.tcm_info = first_priority | htons(ETH_P_IP);
    NlMessage message = new_message(RTM_NEWTFILTER, head, "bpf");
    const std::vector<sock_filter> program = datagram_filter(target, drop, go_on);
    nlattr* const options = nla_nest_start(message.get(), TCA_OPTIONS);
    (void)nla_put_u16(message.get(), TCA_BPF_OPS_LEN, static_cast<std::uint16_t>(program.size()));
    (void)nla_put(message.get(), TCA_BPF_OPS, static_cast<int>(program.size() * sizeof(sock_filter)),
                  program.data());
    (void)nla_put_u32(message.get(), TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
    (void)nla_nest_end(message.get(), options);
    return message;
}

}  // namespace

void keep_datagrams(NetlinkSocket& socket, int index, const std::string& name, const DatagramTarget& target) {
    const NlMessage queue = queue_message(index);
    const NlMessage filter = filter_message(index, target);
    for (const Answer& answer : socket.ask({queue.get(), filter.get()})) {
        if (!answer.ok()) {
            throw Error{failure(Step::keep_datagrams,
                                fmt::format("cannot keep from this host what is sent to it over {}", name),
                                answer.error_number, answer.text)};
        }
    }
}

}  // namespace vml::net
