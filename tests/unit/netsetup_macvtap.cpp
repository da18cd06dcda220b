// Macvtaps, against the real kernel.
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "netsetup/kernel_executor.h"
#include "netsetup/plan.h"
#include "netsetup/reconcile.h"
#include "tests/unit/catch.h"
#include "tests/unit/netsetup_support.h"

using namespace vml;
using namespace vml::net;
using namespace vml::net::test;

namespace {

void make_lower() {
    sh("ip link add v0 type veth peer name v1");
    sh("ip link set v0 up && ip link set v1 up");
}

std::vector<Operation> operations(Lifetime lifetime, QueueOptions queues = {},
                                  const std::string& owner = "alpha") {
    HostNetworkFacts facts = host_network_facts();
    facts.sys_admin = lifetime == Lifetime::with_its_queues;
    const NicPlan plan =
        plan_direct_nic({.device = "v0", .guest_mac = guest, .queues = queues, .owner = owner}, facts);
    demand(plan.faults.empty(), "the plan has no faults");
    return plan.operations;
}

void check_frames(const std::vector<OwnedFd>& queues) {
    const Wire wire{"v1"};
    for (const Mac& to : {broadcast, guest}) {
        const Frame to_guest = frame(to, server, "to the guest");
        wire.send(to_guest);
        CHECK(queue_sees(queues, to_guest));
    }
    const Frame from_guest = frame(server, guest, "from the guest");
    queue_send(queues.front(), from_guest);
    CHECK(wire.sees(from_guest));
}

// The same /dev as a container's: no macvtap nodes appear in it.
void bare_dev() {
    demand(mount("tmpfs", "/dev", "tmpfs", 0, nullptr) == 0, "mount");
    demand(mkdir("/dev/net", 0755) == 0 && mknod("/dev/net/tun", S_IFCHR | 0666, makedev(10, 200)) == 0,
           "mknod");
}

}  // namespace

TEST_CASE("a macvtap carries frames both ways") {
    const PrivateHost host;
    make_lower();
    const std::vector<Link> before = links_now();
    const Lifetime lifetime = GENERATE(Lifetime::with_its_queues, Lifetime::until_reconcile);
    KernelExecutor executor;
    AppliedLinks applied{executor};
    applied.apply(operations(lifetime));
    CHECK(executor.link_name(0) == "vmmac0");
    const std::vector<OwnedFd> queues = executor.take_queues(0);
    REQUIRE(queues.size() == 1);
    check_frames(queues);
    const bool visible = link_named(links_now(), "vmmac0") != nullptr;
    CHECK(visible == (lifetime == Lifetime::until_reconcile));
    CHECK(applied.undo().empty());
    CHECK(links_now() == before);
}

TEST_CASE("a macvtap in its private namespace is what the plan says") {
    const PrivateHost host;
    make_lower();
    sh("ip link set v0 mtu 1400");
    KernelExecutor executor;
    AppliedLinks applied{executor};
    applied.apply(operations(Lifetime::with_its_queues));
    const LinkWatcher watcher = executor.watch(0);
    const OwnedFd queue = std::move(executor.take_queues(0).front());
    ifreq request{};
    REQUIRE(ioctl(queue.get(), TUNGETIFF, &request) == 0);
    CHECK((request.ifr_flags & IFF_VNET_HDR) != 0);
    CHECK(fcntl(queue.get(), F_GETFD) == FD_CLOEXEC);
    CHECK(link_now("v0").promiscuity == 1);
}

TEST_CASE("a tagged macvtap is what the plan says") {
    const PrivateHost host;
    make_lower();
    sh("ip link set v0 mtu 1400");
    KernelExecutor executor;
    AppliedLinks applied{executor};
    applied.apply(operations(Lifetime::until_reconcile));
    const Link link = link_now("vmmac0");
    CHECK(link.kind == "macvtap");
    CHECK(link.up);
    CHECK(link.carrier);
    CHECK(link.mtu == 1400);
    CHECK(link.mac == guest);
    CHECK(link.lower == link_now("v0").index);
    CHECK(link.macvlan_mode == MacvlanMode::bridge);
    CHECK(parse_tag(link.alias).value().owner == "alpha");
    CHECK(output_of("ip -6 addr show dev vmmac0").empty());
}

TEST_CASE("a macvtap has as many queues as were asked for") {
    const PrivateHost host;
    make_lower();
    const Lifetime lifetime = GENERATE(Lifetime::with_its_queues, Lifetime::until_reconcile);
    KernelExecutor executor;
    AppliedLinks applied{executor};
    applied.apply(operations(lifetime, {.queues = 3}));
    const std::vector<OwnedFd> queues = executor.take_queues(0);
    REQUIRE(queues.size() == 3);
    check_frames(queues);
}

TEST_CASE("a macvtap opens where /dev has no node for it, and leaves none") {
    const PrivateHost host;
    make_lower();
    const Lifetime lifetime = GENERATE(Lifetime::with_its_queues, Lifetime::until_reconcile);
    REQUIRE(in_child([&] {
        bare_dev();
        const std::vector<Operation> plan = operations(lifetime);
        const std::string before = output_of("find /dev | sort");
        if (lifetime == Lifetime::until_reconcile) {
            drop_capability(CAP_SYS_ADMIN);  // then no private tmpfs either: the node is in /dev for a moment
        }
        KernelExecutor executor;
        AppliedLinks applied{executor};
        applied.apply(plan);
        demand(executor.take_queues(0).size() == 1, "one queue");
        demand(output_of("find /dev | sort") == before, "/dev is as it was: " + output_of("find /dev"));
    }));
}

TEST_CASE("without CAP_SYS_ADMIN a macvtap is tagged") {
    const PrivateHost host;
    make_lower();
    REQUIRE(in_child([&] {
        drop_capability(CAP_SYS_ADMIN);
        const NicPlan plan = plan_direct_nic({.device = "v0", .guest_mac = guest}, host_network_facts());
        demand(std::get<CreateMacvtap>(plan.operations.front()).lifetime == Lifetime::until_reconcile,
               "tagged");
        KernelExecutor executor;
        AppliedLinks applied{executor};
        applied.apply(plan.operations);
        demand(link_named(links_now(), "vmmac0") != nullptr, "it is there");
        demand(applied.undo().empty(), "undone");
        demand(link_named(links_now(), "vmmac0") == nullptr, "it is gone");
    }));
}

TEST_CASE("a private macvtap lives as long as somebody has its queue, and goes without privilege") {
    const PrivateHost host;
    make_lower();
    std::vector<OwnedFd> queues;
    {
        KernelExecutor executor;
        executor.carry_out(operations(Lifetime::with_its_queues).at(0));
        executor.carry_out(operations(Lifetime::with_its_queues).at(1));
        queues = executor.take_queues(0);
    }
    // everything of the executor is closed: only the queue holds the namespace
    check_frames(queues);
    CHECK_FALSE(lower_is_free());
    REQUIRE(in_child([&] {
        drop_capability(CAP_NET_ADMIN);
        drop_capability(CAP_SYS_ADMIN);
        queues.clear();
    }));
    CHECK_FALSE(lower_is_free());  // that was the child's copy
    queues.clear();
    CHECK(eventually(lower_is_free));
}

TEST_CASE("undo takes a private macvtap away at once, or at least without privilege") {
    const PrivateHost host;
    make_lower();
    {
        KernelExecutor executor;
        AppliedLinks applied{executor};
        applied.apply(operations(Lifetime::with_its_queues));
        const std::vector<OwnedFd> qemu = executor.take_queues(0);
        CHECK(applied.undo().empty());
        CHECK(lower_is_free());
    }
    REQUIRE(in_child([&] {
        KernelExecutor executor;
        AppliedLinks applied{executor};
        applied.apply(operations(Lifetime::with_its_queues));
        drop_capability(CAP_NET_ADMIN);
        drop_capability(CAP_SYS_ADMIN);
        demand(applied.undo().empty(), "undone without privilege");
        demand(eventually(lower_is_free), "the macvtap is gone");
    }));
}

TEST_CASE("two macvtaps of one device, in private namespaces of their own, do not disturb each other") {
    const PrivateHost host;
    make_lower();
    KernelExecutor first;
    KernelExecutor second;
    AppliedLinks first_applied{first};
    AppliedLinks second_applied{second};
    first_applied.apply(operations(Lifetime::with_its_queues));
    std::vector<Operation> other = operations(Lifetime::with_its_queues);
    std::get<CreateMacvtap>(other.front()).mac = server;
    second_applied.apply(other);
    // mode bridge: they reach each other
    const std::vector<OwnedFd> first_queues = first.take_queues(0);
    const std::vector<OwnedFd> second_queues = second.take_queues(0);
    const Frame hello = frame(guest, server, "hello");
    queue_send(second_queues.front(), hello);
    CHECK(queue_sees(first_queues, hello));
    CHECK(second_applied.undo().empty());
    check_frames(first_queues);
}

TEST_CASE("a second macvtap with the same address is refused, and nothing is left of it") {
    const PrivateHost host;
    make_lower();
    const Lifetime lifetime = GENERATE(Lifetime::with_its_queues, Lifetime::until_reconcile);
    KernelExecutor first;
    AppliedLinks first_applied{first};
    first_applied.apply(operations(Lifetime::until_reconcile));
    const std::vector<Link> before = links_now();
    KernelExecutor second;
    AppliedLinks second_applied{second};
    std::string text;
    try {
        second_applied.apply(operations(lifetime));
    } catch (const Error& error) {
        text = error.what();
    }
    INFO(text);
    CHECK(text.find("another link on that device has this MAC address") != std::string::npos);
    CHECK(links_now() == before);
}

TEST_CASE("reconcile deletes what dead makers left, and nothing else") {
    const PrivateHost host;
    make_lower();
    sh("ip link add foreign link v0 type macvtap mode bridge");
    sh("ip link add malformed link v0 type macvtap mode bridge && ip link set malformed alias vm-launch:x:1");
    sh("ip link add looks_so type bridge && ip link set looks_so alias vm-launch:x:0123456789abcdef");
    const std::vector<Link> before = links_now();
    NetlinkSocket socket;

    Child killed{[] {
        KernelExecutor executor;
        executor.carry_out(operations(Lifetime::until_reconcile, {}, "killed").front());
        pause();
    }};
    REQUIRE(eventually([] { return link_named(links_now(), "vmmac0") != nullptr; }));
    CHECK(reconcile(socket).deleted.empty());  // its maker lives
    killed.kill();
    CHECK(link_named(links_now(), "vmmac0") != nullptr);
    CHECK(reconcile(socket) == Reconciled{{"vmmac0"}, {}});
    CHECK(links_now() == before);
    CHECK(reconcile(socket) == Reconciled{});
}

TEST_CASE("reconcile removes a device node that a killed maker left") {
    const PrivateHost host;
    REQUIRE(in_child([] {
        bare_dev();
        const std::string orphan = "/dev/.vm-launch-0123456789abcdef";
        const std::string owned = "/dev/.vm-launch-fedcba9876543210";
        const std::string foreign = "/dev/.vm-launch-config";
        for (const std::string& path : {orphan, owned, foreign}) {
            demand(mknod(path.c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0, path);
        }
        const OwnerLock lock{"fedcba9876543210"};
        NetlinkSocket socket;
        demand(reconcile(socket).deleted == std::vector{orphan}, "only the orphan");
    }));
}
