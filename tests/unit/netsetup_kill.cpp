// SIGKILL at any moment leaves no link.
#include <algorithm>
#include <random>

#include <poll.h>

#include "netsetup/kernel_executor.h"
#include "netsetup/plan.h"
#include "netsetup/reconcile.h"
#include "tests/unit/catch.h"
#include "tests/unit/netsetup_support.h"

using namespace vml;
using namespace vml::net;
using namespace vml::net::test;

namespace {

void make_network() {
    // with a port of its own, else the bridge's address would be the tap's
    sh("ip link add br0 type bridge && ip link set br0 up");
    sh("ip link add p0 address 02:00:00:00:00:10 type veth peer name p1 && ip link set p0 master br0 && ip "
       "link set p0 up && ip link "
       "set p1 up");
    wait_until_forwarding("p0");
    sh("ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up");
}

std::vector<Operation> all_kinds() {
    HostNetworkFacts facts = host_network_facts();
    std::vector<Operation> operations =
        plan_bridge_nic({.nic = 0, .bridge = "br0", .guest_mac = guest}, facts).operations;
    const auto add = [&](const NicPlan& plan) {
        operations.insert(operations.end(), plan.operations.begin(), plan.operations.end());
    };
    add(plan_direct_nic({.nic = 1, .device = "v0", .guest_mac = guest}, facts));
    facts.sys_admin = false;
    add(plan_direct_nic({.nic = 2, .device = "v0", .guest_mac = server}, facts));
    return operations;
}

void apply_and_stay() {
    KernelExecutor executor;
    AppliedLinks applied{executor};
    applied.apply(all_kinds());
    (void)poll(nullptr, 0, -1);
}

}  // namespace

TEST_CASE(
    "SIGKILL leaves no link: taps and private macvtaps go by themselves, tagged ones at the next start") {
    const PrivateHost host;
    make_network();
    const std::vector<Link> before = links_now();
    Child child{apply_and_stay};
    // tap, tagged macvtap; the private one is not to be seen
    REQUIRE(eventually([&] { return links_now().size() == before.size() + 2; }));
    REQUIRE(eventually([] { return link_now("v0").promiscuity > 0; }));
    child.kill();
    NetlinkSocket socket;
    (void)reconcile(socket);
    CHECK(eventually(lower_is_free));
    CHECK(links_now() == before);
}

TEST_CASE("SIGKILL at random moments of the set-up") {
    const PrivateHost host;
    make_network();
    const std::vector<Link> before = links_now();
    NetlinkSocket socket;
    std::mt19937 random{20240607};
    std::size_t deleted = 0;
    constexpr int rounds = 60;
    constexpr int most_rounds = 600;
    long latest = 12'000'000;  // ns; more where a busy host gets nothing done by then
    for (int round = 0; round < rounds || (deleted == 0 && round < most_rounds); ++round) {
        {
            Child child{apply_and_stay};
            latest += round < rounds ? 0 : 1'000'000;
            const timespec moment{0, std::uniform_int_distribution<long>{0, latest}(random)};
            (void)ppoll(nullptr, 0, &moment, nullptr);
        }
        const Reconciled result = reconcile(socket);
        CHECK(result.faults.empty());
        deleted += result.deleted.size();
        const std::vector<Link> after = links_now();
        CHECK(std::none_of(after.begin(), after.end(),
                           [](const Link& link) { return link.kind == "tun" || link.kind == "macvtap"; }));
    }
    CHECK(deleted > 0);
    CHECK(eventually(lower_is_free));
    CHECK(links_now() == before);
}
