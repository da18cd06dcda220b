// The order for a macvtap of Lifetime::with_its_queues, and why:
//  1. A private network namespace, held by a descriptor: from here on a SIGKILL leaves nothing behind.
//  2. Sockets inside it, for its device events and for setting the link up, before there is a link: no event
//  is missed.
//  3. The link is made straight into that namespace (IFLA_NET_NS_FD), never visible beside its lower device.
//  4. Its queues are opened from inside the namespace: a queue holds the namespace of its opener
//  (drivers/net/tap.c,
//     tap_open: sk_alloc takes a reference), so that link and namespace live exactly as long as somebody has
//     a queue open, and QEMU's copy is enough.
#include "netsetup/kernel_executor.h"

#include <cerrno>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <net/if.h>

#include "netsetup/capture.h"
#include "netsetup/failure.h"
#include "netsetup/kept_datagrams.h"
#include "netsetup/link_requests.h"
#include "netsetup/tap_device.h"
#include "netsetup/uevent.h"

namespace vml::net {

namespace {

Link lower_or_throw(NetlinkSocket& socket, Step step, const std::string& what, const std::string& name) {
    std::optional<Link> link = find_link(socket, name);
    if (!link) {
        throw Error{failure(step, what, ENODEV)};
    }
    return std::move(*link);
}

template <typename Made>
MacvtapRequest request_for(const CreateMacvtap& operation, const Link& lower, const Made& made) {
    return {made.index, made.name, lower.index, lower.name, operation.mode, operation.mac, operation.mtu};
}

std::string node_name(int index) {
    return fmt::format("tap{}", index);
}

dev_t device_or_throw(UeventSocket& events, int index) {
    const std::optional<dev_t> device = events.device_of(node_name(index));
    if (!device) {
        throw Error{Fault{"cannot find the macvtap's character device",
                          "the kernel announced no device " + node_name(index),
                          {},
                          ExitCode::host}};
    }
    return *device;
}

// An ifindex far above those that the kernel gives by itself: the macvtap's device node is named after it
// (tap<ifindex>) for all network namespaces together, and must not take the name of the node of a macvtap
// that another program makes.
int high_index() {
    std::random_device random;
    return static_cast<int>((1U << 30U) | (random() & ((1U << 30U) - 1)));
}

std::string first_of_pattern(const std::string& name) {
    const std::size_t number = name.find("%d");
    return number == std::string::npos
               ? name
               : fmt::format("{}0{}", name.substr(0, number), name.substr(number + 2));
}

}  // namespace

void KernelExecutor::carry_out(const Operation& operation) {
    std::visit([this](const auto& op) { run(op); }, operation);
}

std::vector<OwnedFd> KernelExecutor::take_queues(unsigned nic) {
    return std::exchange(made_.at(nic).queues, {});
}

std::string KernelExecutor::link_name(unsigned nic) const {
    return made_.at(nic).name;
}

void KernelExecutor::run_beside(const Made& made, const std::function<void()>& what) {
    if (made.home != nullptr) {
        made.home->netns.run(what);
    } else {
        what();
    }
}

LinkWatcher KernelExecutor::watch(unsigned nic) const {
    const Made& made = made_.at(nic);
    std::optional<LinkWatcher> watcher;
    run_beside(made, [&] { watcher.emplace(std::vector{made.index}); });
    return std::move(watcher).value();
}

OwnedFd KernelExecutor::capture(unsigned nic) const {
    const Made& made = made_.at(nic);
    OwnedFd fd;
    run_beside(made, [&] { fd = open_capture(made.index); });
    return fd;
}

void KernelExecutor::run(const CreateTap& operation) {
    Tap tap = open_tap(operation.name, operation.queues);
    Made made{.kind = "tun", .name = std::move(tap.name), .queues = std::move(tap.queues)};
    made.index = static_cast<int>(if_nametoindex(made.name.c_str()));
    // when this throws, `made` closes the queues, and the tap is gone
    change_link(socket_, made.index, made.name, {operation.mtu, operation.mac, operation.alias});
    made_.insert_or_assign(operation.nic, std::move(made));
}

void KernelExecutor::run(const SetMaster& operation) {
    const Made& made = made_.at(operation.nic);
    const std::string what = fmt::format("cannot make {} a port of {}", made.name, operation.bridge);
    const Link bridge = lower_or_throw(socket_, Step::set_master, what, operation.bridge);
    set_master(socket_, made.index, made.name, bridge);
}

void KernelExecutor::run(const SetUp& operation) {
    const Made& made = made_.at(operation.nic);
    set_up(socket_of(made), made.index, made.name);
}

void KernelExecutor::run(const KeepDatagrams& operation) {
    const Made& made = made_.at(operation.nic);
    keep_datagrams(socket_of(made), made.index, made.name, operation.target);
}

void KernelExecutor::run(const CreateMacvtap& operation) {
    const std::string what =
        fmt::format("cannot create the macvtap {} on {}", operation.name, operation.lower);
    const Link lower = lower_or_throw(socket_, Step::create_macvtap, what, operation.lower);
    const bool hidden = operation.lifetime == Lifetime::with_its_queues;
    made_.insert_or_assign(operation.nic,
                           hidden ? create_private(operation, lower) : create_tagged(operation, lower));
}

KernelExecutor::Made KernelExecutor::create_private(const CreateMacvtap& operation, const Link& lower) {
    Made made{.kind = "macvtap",
              .name = first_of_pattern(operation.name),  // of an empty namespace
              .index = high_index(),
              .mark = make_tag(operation.owner).token};
    made.home = take_home();
    create_macvtap_in(socket_, made.home->netns.fd(), request_for(operation, lower, made));
    made.device = device_or_throw(*std::exchange(made.home->events, nullptr), made.index);
    set_up(*made.home->socket, made.index,
           fmt::format("the macvtap {} on {} (MAC {})", made.name, lower.name, mac_text(operation.mac)));
    return made;  // when something above throws, the namespace goes, and the link with it
}

KernelExecutor::Made KernelExecutor::create_tagged(const CreateMacvtap& operation, const Link& lower) {
    const Tag tag = make_tag(operation.owner);
    Made made{.kind = "macvtap", .name = operation.name, .index = free_index(), .mark = tag.token};
    made.lock.emplace(tag.token);  // before there is a link: no one may take it for an orphan
    UeventSocket events;
    create_tagged_macvtap(socket_, request_for(operation, lower, made), to_alias(tag));
    try {
        made.name =
            find_link(socket_, made.index).value_or(Link{}).name;  // of a pattern: what the kernel chose
        made.device = device_or_throw(events, made.index);
    } catch (const Error&) {
        delete_link(socket_, made.index, operation.name);
        throw;
    }
    return made;
}

void KernelExecutor::run(const OpenMacvtap& operation) {
    Made& made = made_.at(operation.nic);
    const auto open = [&] {
        made.queues = open_macvtap(made.device, "/dev/" + node_name(made.index), made.mark, operation.queues);
    };
    if (made.home != nullptr) {
        made.home->netns.run(open);
    } else {
        open();
    }
}

void KernelExecutor::run(const CloseQueues& operation) {
    made_.at(operation.nic).queues.clear();
}

void KernelExecutor::run(const DeleteLink& operation) {
    auto node = made_.extract(operation.nic);
    if (!node.empty()) {
        delete_made(node.mapped());
    }
}

// Closing is enough for all but a tagged macvtap, and needs no privilege. The request makes it certain that
// the link is gone on return, whoever has a copy of a queue, and waits for the kernel's own sweeping of the
// private namespace no longer than needed.
void KernelExecutor::delete_made(Made& made) {
    made.queues.clear();
    NetlinkSocket& socket = socket_of(made);
    const std::optional<Link> link = find_link(socket, made.index);
    // a link that took the number of ours after it went is not ours
    if (!link || link->name != made.name || link->kind != made.kind) {
        return;
    }
    try {
        delete_link(socket, made.index, made.name);
    } catch (const Error&) {
        if (made.home == nullptr) {
            throw;
        }
    }
}

std::unique_ptr<MacvtapHome> KernelExecutor::take_home() {
    if (ahead_.empty()) {
        return std::make_unique<MacvtapHome>();
    }
    std::unique_ptr<MacvtapHome> next = std::move(ahead_.back());
    ahead_.pop_back();
    return next;
}

int KernelExecutor::free_index() {
    int index = high_index();
    while (find_link(socket_, index)) {
        index = high_index();
    }
    return index;
}

}  // namespace vml::net
