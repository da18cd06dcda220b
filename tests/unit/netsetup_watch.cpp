// Watching links: the pure difference, and the real kernel's messages.
#include <algorithm>

#include <sys/socket.h>

#include "netsetup/kernel_executor.h"
#include "netsetup/plan.h"
#include "netsetup/watch.h"
#include "tests/unit/catch.h"
#include "tests/unit/netsetup_support.h"

using namespace vml;
using namespace vml::net;
using namespace vml::net::test;

namespace {

// The events until `last` is among them.
std::vector<LinkEvent> events_until(LinkWatcher& watcher, const std::function<bool(const LinkEvent&)>& last,
                                    std::chrono::milliseconds deadline = std::chrono::seconds{10}) {
    std::vector<LinkEvent> all;
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (all.empty() || !last(all.back())) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        if (left.count() <= 0 || !readable(watcher.fd(), left)) {
            FAIL("the event did not come");
        }
        for (const LinkEvent& event : watcher.read()) {
            all.push_back(event);
        }
    }
    return all;
}

bool is_deleted(const LinkEvent& event) {
    return event.kind == LinkEvent::Kind::deleted;
}

bool is_forwarding(const LinkEvent& event) {
    return event.kind == LinkEvent::Kind::port_state && event.link.port_state == PortState::forwarding;
}

}  // namespace

TEST_CASE("the difference of two views of a link") {
    Link before{.index = 7, .carrier = false, .port_state = PortState::learning};
    Link now = before;
    CHECK(events_between(before, now).empty());
    now.mtu = 9000;
    CHECK(events_between(before, now).empty());
    now.carrier = true;
    now.port_state = PortState::forwarding;
    CHECK(events_between(before, now) ==
          std::vector<LinkEvent>{{LinkEvent::Kind::carrier, now}, {LinkEvent::Kind::port_state, now}});
}

TEST_CASE("a tap on a bridge with spanning tree: listening, learning, forwarding") {
    const PrivateHost host;
    sh("ip link add br0 type bridge stp_state 1 forward_delay 200 && ip link set br0 up");
    const NicPlan plan = plan_bridge_nic({.bridge = "br0", .guest_mac = guest}, host_network_facts());
    CHECK(plan.forwards_after == std::chrono::seconds{4});
    KernelExecutor executor;
    AppliedLinks applied{executor};
    applied.apply(plan.operations);
    const auto start = std::chrono::steady_clock::now();

    LinkWatcher watcher = executor.watch(0);
    const Link* tap = watcher.link(link_now("vmtap0").index);
    REQUIRE(tap != nullptr);
    std::vector<PortState> states{tap->port_state.value()};
    for (const LinkEvent& event : events_until(watcher, is_forwarding)) {
        if (event.kind == LinkEvent::Kind::port_state) {
            states.push_back(event.link.port_state.value());
        }
    }
    const auto took = std::chrono::steady_clock::now() - start;
    CHECK(states == std::vector{PortState::listening, PortState::learning, PortState::forwarding});
    CHECK(took > plan.forwards_after - std::chrono::milliseconds{200});
    CHECK(took < plan.forwards_after + std::chrono::milliseconds{500});

    // leaving the bridge is not being deleted
    sh("ip link set vmtap0 nomaster");
    const auto left = events_until(watcher, [](const LinkEvent& event) { return !event.link.port_state; });
    CHECK(std::none_of(left.begin(), left.end(), is_deleted));
    CHECK(applied.undo().empty());
    CHECK(is_deleted(events_until(watcher, is_deleted).back()));
}

TEST_CASE("carrier lost, carrier back, link deleted") {
    const PrivateHost host;
    sh("ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up");
    LinkWatcher watcher{{link_now("v0").index}};
    CHECK(watcher.read().empty());
    sh("ip link set v1 down");
    CHECK_FALSE(events_until(watcher, [](const LinkEvent&) { return true; }).back().link.carrier);
    sh("ip link set v1 up");
    CHECK(events_until(watcher, [](const LinkEvent&) { return true; }).back().link.carrier);
    sh("ip link set v1 mtu 1400 && ip link add other type bridge && ip link delete other");
    CHECK(watcher.read().empty());
    sh("ip link delete v1");
    const LinkEvent last = events_until(watcher, is_deleted).back();
    CHECK(last.link.name == "v0");
    CHECK(watcher.link(last.link.index) == nullptr);
}

TEST_CASE("a private macvtap tells that its lower device was deleted") {
    const PrivateHost host;
    sh("ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up");
    KernelExecutor executor;
    AppliedLinks applied{executor};
    applied.apply(plan_direct_nic({.device = "v0", .guest_mac = guest}, host_network_facts()).operations);
    LinkWatcher watcher = executor.watch(0);
    sh("ip link set v1 down");
    CHECK_FALSE(events_until(watcher, [](const LinkEvent&) { return true; }).back().link.carrier);
    sh("ip link delete v0");
    CHECK(events_until(watcher, is_deleted).back().link.kind == "macvtap");
    CHECK(applied.undo().empty());
}

TEST_CASE("lost messages are made up for") {
    const PrivateHost host;
    sh("ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up");
    LinkWatcher watcher{{link_now("v0").index, link_now("v1").index}};
    const int smallest = 1;
    REQUIRE(setsockopt(watcher.fd(), SOL_SOCKET, SO_RCVBUF, &smallest, sizeof smallest) == 0);
    sh("for i in 1 2 3 4 5 6 7 8 9; do ip link add b$i type bridge; done");
    sh("ip link delete v1");
    const std::vector<LinkEvent> events = events_until(watcher, is_deleted);
    CHECK(std::count_if(events.begin(), events.end(), is_deleted) == 2);
    CHECK(watcher.read().empty());
}
