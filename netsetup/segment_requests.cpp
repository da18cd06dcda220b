#include "netsetup/segment_requests.h"

#include <cerrno>
#include <cstdint>
#include <memory>

#include <fmt/format.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/addr.h>
#include <netlink/attr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <sys/socket.h>

#include "netsetup/failure.h"

namespace vml::net {

namespace {

template <typename Ip>
Answer give_address(NetlinkSocket& socket, int index, const Ip& address, unsigned prefix,
                    std::uint8_t family) {
    ifaddrmsg header{};
    header.ifa_family = family;
    header.ifa_prefixlen = static_cast<std::uint8_t>(prefix);
    header.ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0;
    header.ifa_index = static_cast<unsigned>(index);
    const NlMessage request{nlmsg_alloc_simple(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL)};
    (void)nlmsg_append(request.get(), &header, sizeof header, NLMSG_ALIGNTO);
    (void)nla_put(request.get(), IFA_LOCAL, static_cast<int>(address.size()), address.data());
    (void)nla_put(request.get(), IFA_ADDRESS, static_cast<int>(address.size()), address.data());
    Answer answer = socket.ask(*request);
    return answer.error_number == EEXIST ? Answer{} : answer;
}

}  // namespace

void create_bridge(NetlinkSocket& socket, const std::string& name, const Mac& mac) {
    struct PutBridge {
        void operator()(rtnl_link* link) const noexcept { rtnl_link_put(link); }
        void operator()(nl_addr* address) const noexcept { nl_addr_put(address); }
    };
    const std::unique_ptr<rtnl_link, PutBridge> link{rtnl_link_bridge_alloc()};
    const std::unique_ptr<nl_addr, PutBridge> address{nl_addr_build(AF_LLC, mac.data(), mac.size())};
    rtnl_link_set_name(link.get(), name.c_str());
    rtnl_link_set_addr(link.get(), address.get());
    nl_msg* built = nullptr;
    if (rtnl_link_build_add_request(link.get(), NLM_F_CREATE | NLM_F_EXCL, &built) < 0) {
        throw Error{failure(Step::make_segment, "cannot build a netlink request", ENOMEM)};
    }
    const NlMessage message{built};
    const Answer answer = socket.ask(*message);
    if (!answer.ok() && answer.error_number != EEXIST) {
        throw Error{failure(Step::make_segment, "cannot make the segment's bridge", answer.error_number,
                            answer.text)};
    }
}

void add_address(NetlinkSocket& socket, int index, const Ip4& address, unsigned prefix) {
    const Answer answer = give_address(socket, index, address, prefix, AF_INET);
    if (!answer.ok()) {
        throw Error{failure(Step::make_segment, "cannot give the segment's host an address",
                            answer.error_number, answer.text)};
    }
}

bool add_address(NetlinkSocket& socket, int index, const Ip6& address, unsigned prefix) {
    return give_address(socket, index, address, prefix, AF_INET6).ok();
}

}  // namespace vml::net
