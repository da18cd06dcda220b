#include "netsetup/watch.h"

#include <array>
#include <cerrno>
#include <optional>

#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <sys/socket.h>

#include "netsetup/failure.h"

namespace vml::net {

namespace {

[[noreturn]] void throw_errno() {
    throw Error{failure(Step::open_netlink, "cannot watch the network links", errno)};
}

// Not a constant: libnl's walk wants something that may be changed.
nlmsghdr* first_message(std::array<std::byte, 32768>& buffer) {
    void* const bytes = buffer.data();
    return static_cast<nlmsghdr*>(bytes);
}

}  // namespace

std::string_view to_text(LinkEvent::Kind kind) {
    switch (kind) {
        case LinkEvent::Kind::deleted:
            return "deleted";
        case LinkEvent::Kind::carrier:
            return "carrier";
        case LinkEvent::Kind::port_state:
            return "port state";
    }
    return "unknown";
}

std::vector<LinkEvent> events_between(const Link& before, const Link& now) {
    std::vector<LinkEvent> events;
    if (before.carrier != now.carrier) {
        events.push_back({LinkEvent::Kind::carrier, now});
    }
    if (before.port_state != now.port_state) {
        events.push_back({LinkEvent::Kind::port_state, now});
    }
    return events;
}

LinkWatcher::LinkWatcher(const std::vector<int>& indexes) : events_{nl_socket_alloc()} {
    if (events_ == nullptr || nl_connect(events_.get(), NETLINK_ROUTE) < 0 ||
        nl_socket_set_nonblocking(events_.get()) < 0 ||
        nl_socket_add_membership(events_.get(), RTNLGRP_LINK) < 0) {
        throw_errno();
    }
    for (const int index : indexes) {
        if (std::optional<Link> link = find_link(questions_, index)) {
            links_.emplace(index, std::move(*link));
        }
    }
}

const Link* LinkWatcher::link(int index) const {
    const auto found = links_.find(index);
    return found == links_.end() ? nullptr : &found->second;
}

std::vector<LinkEvent> LinkWatcher::read() {
    std::vector<LinkEvent> events;
    alignas(nlmsghdr) std::array<std::byte, 32768> buffer{};
    for (;;) {
        const ssize_t size = recv(fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (size < 0 && errno == ENOBUFS) {
            read_anew(events);
        } else if (size < 0 && errno != EINTR) {
            if (errno != EAGAIN) {
                throw_errno();
            }
            return events;
        }
        int left = static_cast<int>(size);
        for (nlmsghdr* message = first_message(buffer); nlmsg_ok(message, left) != 0;
             message = nlmsg_next(message, &left)) {
            take(*message, events);
        }
    }
}

// A bridge tells of its ports in messages of its own (AF_BRIDGE) which hold little more than the port's
// state. Among them, an RTM_DELLINK says that the port left the bridge, not that the link is gone.
void LinkWatcher::take(const nlmsghdr& message, std::vector<LinkEvent>& events) {
    if (message.nlmsg_type != RTM_NEWLINK && message.nlmsg_type != RTM_DELLINK) {
        return;
    }
    Link told = parse_link(message);
    const auto known = links_.find(told.index);
    if (known == links_.end()) {
        return;
    }
    told.wireless = known->second.wireless;
    if (!is_bridge_message(message)) {
        if (message.nlmsg_type == RTM_DELLINK) {
            gone(told.index, events);
        } else if (told.mtu !=
                   0) {  // a radio's own events (IFLA_WIRELESS) are of this type too, and hold nothing else
            now_is(told, events);
        }
        return;
    }
    Link changed = known->second;
    changed.port_state = message.nlmsg_type == RTM_DELLINK ? std::nullopt : told.port_state;
    now_is(changed, events);
}

void LinkWatcher::now_is(const Link& link, std::vector<LinkEvent>& events) {
    Link& before = links_.at(link.index);
    const std::vector<LinkEvent> happened = events_between(before, link);
    events.insert(events.end(), happened.begin(), happened.end());
    before = link;
}

void LinkWatcher::gone(int index, std::vector<LinkEvent>& events) {
    events.push_back({LinkEvent::Kind::deleted, links_.at(index)});
    links_.erase(index);
}

void LinkWatcher::read_anew(std::vector<LinkEvent>& events) {
    const std::map<int, Link> before = links_;
    for (const auto& [index, link] : before) {
        const std::optional<Link> now = find_link(questions_, index);
        now ? now_is(*now, events) : gone(index, events);
    }
}

}  // namespace vml::net
