#include "netsetup/link_requests.h"

#include <cerrno>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/link/macvtap.h>
#include <sys/socket.h>

#include "netsetup/failure.h"

namespace vml::net {

namespace {

struct PutLink {
    void operator()(rtnl_link* link) const noexcept { rtnl_link_put(link); }
};
using LinkObject = std::unique_ptr<rtnl_link, PutLink>;

void set_mac(rtnl_link* link, const Mac& mac) {
    struct PutAddress {
        void operator()(nl_addr* address) const noexcept { nl_addr_put(address); }
    };
    const std::unique_ptr<nl_addr, PutAddress> address{nl_addr_build(AF_LLC, mac.data(), mac.size())};
    rtnl_link_set_addr(link, address.get());
}

// The message that makes the link `index` what `change` says.
NlMessage change_message(int index, rtnl_link* change) {
    const LinkObject present{rtnl_link_alloc()};
    rtnl_link_set_ifindex(present.get(), index);
    nl_msg* message = nullptr;
    if (rtnl_link_build_change_request(present.get(), change, 0, &message) < 0) {
        throw Error{failure(Step::set_up, "cannot build a netlink request", ENOMEM)};
    }
    return NlMessage{message};
}

NlMessage up_message(int index) {
    const LinkObject change{rtnl_link_alloc()};
    rtnl_link_set_flags(change.get(), IFF_UP);
    return change_message(index, change.get());
}

NlMessage without_ipv6_message(int index) {
    const LinkObject change{rtnl_link_alloc()};
    (void)rtnl_link_inet6_set_addr_gen_mode(change.get(), IN6_ADDR_GEN_MODE_NONE);
    return change_message(index, change.get());
}

NlMessage alias_message(int index, const std::string& alias) {
    const LinkObject change{rtnl_link_alloc()};
    rtnl_link_set_ifalias(change.get(), alias.c_str());
    return change_message(index, change.get());
}

NlMessage create_message(const MacvtapRequest& request, std::optional<int> netns_fd) {
    const LinkObject link{rtnl_link_macvtap_alloc()};
    rtnl_link_set_ifindex(link.get(), request.index);
    rtnl_link_set_name(link.get(), request.name.c_str());
    rtnl_link_set_link(link.get(), request.lower);
    (void)rtnl_link_macvtap_set_mode(link.get(), static_cast<std::uint32_t>(request.mode));
    set_mac(link.get(), request.mac);
    rtnl_link_set_mtu(link.get(), request.mtu);
    if (netns_fd) {
        rtnl_link_set_ns_fd(link.get(), *netns_fd);
    }
    nl_msg* message = nullptr;
    if (rtnl_link_build_add_request(link.get(), NLM_F_CREATE | NLM_F_EXCL, &message) < 0) {
        throw Error{failure(Step::create_macvtap, "cannot build a netlink request", ENOMEM)};
    }
    return NlMessage{message};
}

void demand(const Answer& answer, Step step, std::string what) {
    if (!answer.ok()) {
        throw Error{failure(step, std::move(what), answer.error_number, answer.text)};
    }
}

std::string create_text(const MacvtapRequest& request) {
    return fmt::format("cannot create the macvtap {} on {} (MAC {}, MTU {})", request.name,
                       request.lower_name, mac_text(request.mac), request.mtu);
}

}  // namespace

void change_link(NetlinkSocket& socket, int index, const std::string& name, const LinkChange& change) {
    const LinkObject wanted{rtnl_link_alloc()};
    std::string text;
    if (change.mtu) {
        rtnl_link_set_mtu(wanted.get(), *change.mtu);
        text += fmt::format(" the MTU {}", *change.mtu);
    }
    if (change.mac) {
        set_mac(wanted.get(), *change.mac);
        text += fmt::format("{} the MAC {}", text.empty() ? "" : " and", mac_text(*change.mac));
    }
    if (!change.alias.empty()) {
        rtnl_link_set_ifalias(wanted.get(), change.alias.c_str());
    }
    const NlMessage message = change_message(index, wanted.get());
    demand(socket.ask(*message), Step::set_mtu_and_mac, fmt::format("cannot give {}{}", name, text));
}

void set_master(NetlinkSocket& socket, int index, const std::string& name, const Link& bridge) {
    const LinkObject change{rtnl_link_alloc()};
    rtnl_link_set_master(change.get(), bridge.index);
    const NlMessage message = change_message(index, change.get());
    demand(socket.ask(*message), Step::set_master,
           fmt::format("cannot make {} a port of {}", name, bridge.name));
}

void set_up(NetlinkSocket& socket, int index, const std::string& name) {
    const NlMessage quiet = without_ipv6_message(index);
    const NlMessage up = up_message(index);
    // the first verdict does not matter: a kernel without IPv6, or an MTU below 1280, refuses, and needs no
    // quieting
    demand(socket.ask({quiet.get(), up.get()}).back(), Step::set_up, fmt::format("cannot bring up {}", name));
}

void delete_link(NetlinkSocket& socket, int index, const std::string& name) {
    const LinkObject link{rtnl_link_alloc()};
    rtnl_link_set_ifindex(link.get(), index);
    nl_msg* built = nullptr;
    (void)rtnl_link_build_delete_request(link.get(), &built);
    const NlMessage message{built};
    const Answer answer = socket.ask(*message);
    if (answer.error_number != ENODEV) {
        demand(answer, Step::delete_link, fmt::format("cannot delete {}", name));
    }
}

void create_macvtap_in(NetlinkSocket& socket, int netns_fd, const MacvtapRequest& request) {
    const NlMessage message = create_message(request, netns_fd);
    demand(socket.ask(*message), Step::create_macvtap, create_text(request));
}

void create_tagged_macvtap(NetlinkSocket& socket, const MacvtapRequest& request, const std::string& alias) {
    // A refused creation does not stop the three that follow. They name the link by an index that no other
    // link has, and do nothing then.
    const NlMessage create = create_message(request, std::nullopt);
    const NlMessage tag = alias_message(request.index, alias);
    const NlMessage quiet = without_ipv6_message(request.index);
    const NlMessage up = up_message(request.index);
    const std::vector<Answer> answers = socket.ask({create.get(), tag.get(), quiet.get(), up.get()});
    demand(answers.at(0), Step::create_macvtap, create_text(request));
    for (const std::size_t i : {1U, 3U}) {
        if (!answers.at(i).ok()) {
            delete_link(socket, request.index, request.name);
            demand(answers.at(i), Step::create_macvtap, create_text(request));
        }
    }
}

}  // namespace vml::net
