#include "netsetup/watch.h"

#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <utility>

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

LinkWatcher::LinkWatcher(const std::vector<int>& indexes) : events_{nl_socket_alloc()} {
    if (events_ == nullptr || nl_connect(events_.get(), NETLINK_ROUTE) < 0 ||
        nl_socket_set_nonblocking(events_.get()) < 0 ||
        nl_socket_add_membership(events_.get(), RTNLGRP_LINK) < 0) {
        throw_errno();
    }
    for (const int index : indexes) {
        if (std::optional<Link> link = find_link(questions_, index)) {
            links_.add(*std::move(link));
        }
    }
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
            links_.take(*message, events);
        }
    }
}

void LinkWatcher::read_anew(std::vector<LinkEvent>& events) {
    const std::map<int, Link> before = links_.all();
    for (const auto& [index, link] : before) {
        const std::optional<Link> now = find_link(questions_, index);
        now ? links_.now_is(*now, events) : links_.gone(index, events);
    }
}

}  // namespace vml::net
