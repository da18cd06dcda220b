// What a bridge or a device looks like, in words.
#include "launcher/watch/link_state.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

net::HostNetworkFacts facts() {
    net::HostNetworkFacts facts;
    facts.links = {{.index = 1, .name = "br0", .kind = "bridge", .up = true, .carrier = true},
                   {.index = 2,
                    .name = "eth1",
                    .up = true,
                    .carrier = true,
                    .master = 1,
                    .port_state = net::PortState::forwarding},
                   {.index = 3, .name = "vmtap0", .kind = "tun", .up = true, .carrier = true, .master = 1}};
    return facts;
}

using Words = std::vector<std::string>;

TEST_CASE("a bridge: its other ports and how they are") {
    net::HostNetworkFacts host = facts();
    CHECK(state_of_bridge("br0", "vmtap0", host) == Words{"br0's other ports: eth1"});
    host.links[1].port_state = net::PortState::listening;
    CHECK(state_of_bridge("br0", "vmtap0", host) == Words{"br0's other ports: eth1 (listening)"});
    host.links[1].carrier = false;
    CHECK(state_of_bridge("br0", "vmtap0", host) == Words{"br0's other ports: eth1 (no carrier)"});
    host.links[1].up = false;
    CHECK(state_of_bridge("br0", "vmtap0", host) == Words{"br0's other ports: eth1 (down)"});
    host.links[1].master = 0;
    host.links[0].up = false;
    CHECK(state_of_bridge("br0", "vmtap0", host) ==
          Words{"br0 is down", "br0 has no port but the guest's own"});
    CHECK(state_of_bridge("br1", "", host) == Words{"the bridge br1 has gone"});
}

TEST_CASE("a firewall that drops is named") {
    net::HostNetworkFacts host = facts();
    host.bridge_calls_iptables = host.forward_drops = true;
    CHECK(state_of_bridge("br0", "vmtap0", host).back() == "the host's firewall drops what bridges forward");
}

TEST_CASE("a lower device") {
    net::HostNetworkFacts host = facts();
    CHECK(state_of_device("eth1", host) == Words{"eth1 is up and has a carrier"});
    host.links[1].carrier = false;
    CHECK(state_of_device("eth1", host) == Words{"eth1 has no carrier: is the cable in?"});
    host.links[1].up = false;
    CHECK(state_of_device("eth1", host) == Words{"eth1 is down"});
    CHECK(state_of_device("eth9", host) == Words{"the device eth9 has gone"});
}

}  // namespace
}  // namespace vml
