#include "netsetup/segment_home.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <net/if.h>

#include "base/boot_server_port.h"
#include "base/segment_place.h"
#include "base/text.h"
#include "netsetup/capture.h"
#include "netsetup/failure.h"
#include "netsetup/link_requests.h"
#include "netsetup/segment_requests.h"
#include "netsetup/segment_sockets.h"
#include "netsetup/tap_device.h"

namespace vml::net {

namespace {

constexpr const char* bridge_name = "segment";
constexpr std::string_view tap_prefix = "vm";
constexpr unsigned last_place = 254;

// Two who join at once both find none, and one of them makes it.
Link bridge_in(NetlinkSocket& socket) {
    std::optional<Link> bridge = find_link(socket, bridge_name);
    if (!bridge) {
        create_bridge(socket, bridge_name, segment_mac);
        bridge = find_link(socket, bridge_name);
        set_up(socket, bridge.value().index, bridge_name);
        std::ignore = add_address(socket, bridge->index, segment_router, segment_prefix6);
    }
    return *bridge;
}

// The kernel numbers taps from 0, and gives a number again once its tap has gone: so does a guest's place go
// with it. An address of the server's that stayed there is the next one's.
unsigned place_of_tap(const std::string& name) {
    const unsigned place = whole_number<unsigned>(name.substr(tap_prefix.size())).value_or(last_place) + 1;
    if (place > last_place) {
        throw Error{Fault{"cannot join the segment", "it is full",
                          fmt::format("at most {} VMs share one", last_place), ExitCode::host}};
    }
    return place;
}

// False: its former server has not gone yet, as where QEMU alone was killed.
bool open_sockets(SegmentLink& link, bool with_ip6) {
    const Ip4 four = server4_of(link.number);
    const Ip6 six = server6_of(link.number);
    link.fd(SegmentFd::http4) = listen_at(four, http_port);
    link.fd(SegmentFd::tftp4) = datagrams_at(four, tftp_port);
    link.fd(SegmentFd::dns4) = datagrams_at(four, dns_port);
    link.fd(SegmentFd::dhcp4) = unread_datagrams_at(four, dhcp_port);
    link.fd(SegmentFd::boot4) = unread_datagrams_at(four, boot_server_port);
    if (with_ip6) {
        link.fd(SegmentFd::http6) = listen_at(six, http_port);
        link.fd(SegmentFd::tftp6) = datagrams_at(six, tftp_port);
        link.fd(SegmentFd::dns6) = datagrams_at(six, dns_port);
    }
    using enum SegmentFd;
    return link.fd(http4) && link.fd(tftp4) && link.fd(dns4) && link.fd(dhcp4) && link.fd(boot4) &&
           (!with_ip6 || (link.fd(http6) && link.fd(tftp6) && link.fd(dns6)));
}

// The first place that is free, with its server's sockets. A tap whose place is not is held until the end, so
// that the kernel gives another number.
SegmentLink link_at_free_place(NetlinkSocket& socket, const Link& bridge) {
    std::vector<Tap> passed_over;
    for (;;) {
        Tap tap = open_tap(std::string{tap_prefix} + "%d", {});
        SegmentLink link{.number = place_of_tap(tap.name),
                         .index = static_cast<int>(if_nametoindex(tap.name.c_str())),
                         .name = tap.name};
        add_address(socket, bridge.index, server4_of(link.number), segment_prefix4);
        if (open_sockets(link, add_address(socket, bridge.index, server6_of(link.number), segment_prefix6))) {
            link.fd(SegmentFd::tap) = std::move(tap.queues.front());
            return link;
        }
        passed_over.push_back(std::move(tap));
    }
}

}  // namespace

SegmentLink make_segment_link(const SegmentWish& wish) {
    NetlinkSocket socket;
    const Link bridge = bridge_in(socket);
    SegmentLink link = link_at_free_place(socket, bridge);
    if (wish.mtu != 0) {
        change_link(socket, link.index, link.name, {.mtu = wish.mtu});
    }
    set_master(socket, link.index, link.name, bridge);
    set_up(socket, link.index, link.name);
    link.fd(SegmentFd::frames) = open_question_capture(link.index);
    if (wish.watched) {
        link.fd(SegmentFd::capture) = open_capture(link.index);
    }
    return link;
}

}  // namespace vml::net
