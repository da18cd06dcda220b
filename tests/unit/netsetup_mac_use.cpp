// Whether a guest's MAC address is in use already, on real bridges and devices.
#include <fmt/format.h>

#include "netsetup/kernel_executor.h"
#include "netsetup/mac_use.h"
#include "netsetup/plan.h"
#include "netsetup/tag.h"
#include "tests/unit/catch.h"
#include "tests/unit/netsetup_support.h"

using namespace vml;
using namespace vml::net;
using namespace vml::net::test;

namespace {

NicPlan bridge(const Mac& mac = guest, const std::string& owner = "alpha") {
    HostNetworkFacts facts = host_network_facts();
    facts.forwarding = forwarding_of({"br0", "br9"}, facts.links);
    return plan_bridge_nic({.bridge = "br0", .guest_mac = mac, .owner = owner}, facts);
}

NicPlan direct(const Mac& mac = guest) {
    return plan_direct_nic({.device = "d0", .guest_mac = mac}, host_network_facts());
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::string only(const std::vector<Fault>& faults) {
    return faults.size() == 1 ? to_text(faults.front()) : std::to_string(faults.size()) + " faults";
}

const std::string guest_text = mac_text(guest);

}  // namespace

TEST_CASE("an address that nobody has is no finding") {
    const PrivateHost host;
    make_bridge();
    CHECK(bridge().faults.empty());
    CHECK(bridge().warnings.empty());
}

TEST_CASE("an address that was heard on a port is told with the port, and does not stand in the way") {
    const PrivateHost host;
    make_bridge();
    const Wire wire{"v1"};
    wire.send(frame(broadcast, guest, "here I am"));
    REQUIRE(eventually([] { return !bridge().warnings.empty(); }));
    CHECK(bridge().faults.empty());
    CHECK(contains(only(bridge().warnings), "52:54:00:12:34:56 was heard on its port v0 0 s ago"));
    CHECK(contains(only(bridge().warnings), "unless this VM itself was there until then"));
    HostNetworkFacts not_asked = host_network_facts();
    CHECK(plan_bridge_nic({.bridge = "br0", .guest_mac = guest}, not_asked).warnings.empty());
}

TEST_CASE("an entry that somebody made is told with what removes it") {
    const PrivateHost host;
    make_bridge();
    sh("bridge fdb add " + guest_text + " dev v0 master static");
    CHECK(contains(only(bridge().warnings), "by a fixed entry"));
    CHECK(contains(only(bridge().warnings), "`bridge fdb del " + guest_text + " dev v0 master`"));
}

TEST_CASE("an address of the host's own on the bridge stands in the way") {
    const PrivateHost host;
    make_bridge();
    sh("ip link set v0 address " + guest_text);
    CHECK(contains(only(bridge().faults), "this host's own address there (v0)"));
    sh("ip link set v0 address 02:00:00:00:00:09 && ip link set br0 address " + guest_text);
    CHECK(contains(only(bridge().faults), "this host's own address there (br0)"));
}

TEST_CASE("another VM's tap with the address stands in the way, and is told by its name") {
    const PrivateHost host;
    make_bridge();
    KernelExecutor executor;
    AppliedLinks applied{executor};
    applied.apply(bridge().operations);
    CHECK(contains(only(bridge(guest, "beta").faults),
                   "the VM alpha on its port vmtap0 has the guest's MAC address 52:54:00:12:34:56"));
    Mac near = guest;  // the taps of both have one address
    near[0] = 0x02;
    CHECK(bridge(near).faults.empty());
    CHECK(bridge(near).warnings.empty());
    CHECK(applied.undo().empty());
    CHECK(bridge().faults.empty());
}

TEST_CASE("of a tap that others made the address is certain once its guest has sent a frame") {
    const PrivateHost host;
    make_bridge();
    KernelExecutor executor;
    AppliedLinks applied{executor};
    applied.apply(bridge(guest, "").operations);  // without a mark, as libvirt's are
    const std::vector<OwnedFd> queues = executor.take_queues(0);
    CHECK(bridge().faults.empty());
    CHECK(
        contains(only(bridge().warnings), "another VM on its port vmtap0 may have the guest's MAC address"));
    queue_send(queues.front(), frame(broadcast, guest, "here I am"));
    REQUIRE(eventually([] { return !bridge().faults.empty(); }));
    CHECK(contains(only(bridge().faults), "another VM on its port vmtap0 has the guest's MAC address"));
    CHECK(bridge().warnings.empty());
}

TEST_CASE("what is in another VLAN is apart") {
    HostNetworkFacts facts;
    facts.links = {{.index = 1, .name = "br0", .bridge = BridgeFacts{.vlan_filtering = true}},
                   {.index = 2, .name = "t0", .kind = "tun", .mac = tap_mac_for(guest), .master = 1}};
    const Link& bridge = facts.links.front();
    facts.forwarding = {{.bridge = 1, .port = 2, .mac = guest, .vlan = 20}};
    facts.links.back().alias = to_alias(TapAlias{"alpha", guest});
    REQUIRE(uses_on_bridge(guest, bridge, facts).size() == 1);
    CHECK_FALSE(uses_on_bridge(guest, bridge, facts).front().certain);
    facts.forwarding->front().vlan = 1;
    CHECK(uses_on_bridge(guest, bridge, facts).front().certain);
    facts.links.back().kind = "veth";
    facts.forwarding->front().vlan = 20;
    CHECK(uses_on_bridge(guest, bridge, facts).empty());
}

TEST_CASE("an address of the host's own that the table has for several VLANs is told once") {
    HostNetworkFacts facts;
    facts.links = {{.index = 1, .name = "br0", .bridge = BridgeFacts{}}};
    facts.forwarding = {
        {.bridge = 1, .port = 1, .mac = guest, .vlan = 0, .local = true, .set_by_hand = true},
        {.bridge = 1, .port = 1, .mac = guest, .vlan = 1, .local = true, .set_by_hand = true}};
    CHECK(uses_on_bridge(guest, facts.links.front(), facts).size() == 1);
}

TEST_CASE("an address that a device or a macvlan on it has stands in the way") {
    const PrivateHost host;
    sh("ip link add d0 type veth peer name d1 && ip link set d0 up && ip link set d1 up");
    CHECK(direct().faults.empty());
    CHECK(contains(only(direct(link_now("d0").mac).faults), "is its own address"));
    sh("ip link add link d0 name m0 address " + guest_text +
       " type macvlan mode bridge && ip link set m0 up");
    CHECK(contains(only(direct().faults), "m0 on it has the guest's MAC address 52:54:00:12:34:56"));
    sh("ip link set m0 alias vm-launch:alpha:0123456789abcdef");  // it may be left over, and is deleted
                                                                  // before
    CHECK(direct().faults.empty());
}

TEST_CASE("an address that a macvtap in another network namespace has is refused with both named") {
    const PrivateHost host;
    sh("ip link add d0 type veth peer name d1 && ip link set d0 up && ip link set d1 up");
    KernelExecutor first;
    AppliedLinks applied{first};
    applied.apply(direct().operations);
    KernelExecutor second;
    AppliedLinks refused{second};
    std::string text;
    try {
        refused.apply(direct().operations);
    } catch (const Error& error) {
        text = to_text(error.faults().front());
    }
    CHECK(contains(text, "52:54:00:12:34:56"));
    CHECK(contains(text, "d0"));
    CHECK(contains(text, "Address already in use"));
}

TEST_CASE("a tap's alias is read back, and nothing else is taken for one") {
    const TapAlias tap{"web", guest};
    CHECK(parse_tap_alias(to_alias(tap)) == tap);
    for (const char* other :
         {"", "vm-launch:web", "vm-launch:web 52:54", "web 52:54:00:12:34:56", "vm-launch:"}) {
        CHECK_FALSE(parse_tap_alias(other));
    }
    CHECK_FALSE(parse_tag(to_alias(tap)));
}
