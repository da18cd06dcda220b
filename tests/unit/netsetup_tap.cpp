// Taps on a bridge, against the real kernel.
#include <cstring>

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include "netsetup/kernel_executor.h"
#include "netsetup/link_requests.h"
#include "netsetup/plan.h"
#include "tests/unit/catch.h"
#include "tests/unit/netsetup_support.h"

using namespace vml;
using namespace vml::net;
using namespace vml::net::test;

namespace {

NicPlan bridge_plan(QueueOptions queues = {}, unsigned nic = 0) {
    return plan_bridge_nic(
        {.nic = nic, .bridge = "br0", .guest_mac = guest, .queues = queues, .owner = "alpha"},
        host_network_facts());
}

std::string text_of(const std::function<void()>& task) {
    try {
        task();
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

}  // namespace

TEST_CASE("a tap on a bridge carries frames both ways") {
    const PrivateHost host;
    make_bridge();
    KernelExecutor executor;
    AppliedLinks applied{executor};
    const NicPlan plan = bridge_plan();
    REQUIRE(plan.faults.empty());
    applied.apply(plan.operations);
    const std::vector<OwnedFd> queues = executor.take_queues(0);
    REQUIRE(queues.size() == 1);

    const Wire wire{"v1"};
    const Frame to_guest = frame(broadcast, server, "to the guest");
    wire.send(to_guest);
    CHECK(queue_sees(queues, to_guest));
    const Frame from_guest = frame(server, guest, "from the guest");
    queue_send(queues.front(), from_guest);
    CHECK(wire.sees(from_guest));
    const Frame answer = frame(guest, server, "to the guest alone");
    wire.send(answer);
    CHECK(queue_sees(queues, answer));
}

// QEMU sets the length of the header before each frame to 10 or 12 bytes, as the guest's driver asks for it.
TEST_CASE("what is written as the guest comes from the guest, whatever its header's length is by then") {
    const PrivateHost host;
    make_bridge();
    KernelExecutor executor;
    AppliedLinks applied{executor};
    applied.apply(bridge_plan().operations);
    const std::vector<OwnedFd> queues = executor.take_queues(0);
    const OwnedFd guest_end = copy_of(queues.front());
    REQUIRE(guest_end);

    const Wire wire{"v1"};
    for (int length : {12, 10, 20}) {
        CAPTURE(length);
        REQUIRE(::ioctl(queues.front().get(), TUNSETVNETHDRSZ, &length) == 0);
        const Frame sent = frame(broadcast, guest, "of the guest, after " + std::to_string(length));
        CHECK(write_as_guest(guest_end.get(), {reinterpret_cast<const char*>(sent.data()), sent.size()}));
        CHECK(wire.sees(sent));
    }
}

TEST_CASE("a tap is what the plan says, and the bridge stays as it was") {
    const PrivateHost host;
    make_bridge("mtu 1400");
    sh("ip link set v0 mtu 1400");
    const Link before = link_now("br0");
    KernelExecutor executor;
    AppliedLinks applied{executor};
    applied.apply(bridge_plan().operations);

    const Link tap = link_now(executor.link_name(0));
    CHECK(tap.name == "vmtap0");
    CHECK(tap.kind == "tun");
    CHECK(tap.up);
    CHECK(tap.carrier);
    CHECK(tap.mtu == 1400);
    CHECK(mac_text(tap.mac) == "fe:54:00:12:34:56");
    CHECK(tap.master == before.index);
    CHECK(tap.alias == "vm-launch:alpha " + mac_text(guest));
    CHECK(tap.port_state == PortState::forwarding);
    CHECK(link_now("br0") == before);
    CHECK(output_of("ip -6 addr show dev vmtap0").empty());
}

TEST_CASE("a tap has as many queues as were asked for") {
    const PrivateHost host;
    make_bridge();
    KernelExecutor executor;
    AppliedLinks applied{executor};
    applied.apply(bridge_plan({.queues = 4}).operations);
    const std::vector<OwnedFd> queues = executor.take_queues(0);
    REQUIRE(queues.size() == 4);
    for (const OwnedFd& queue : queues) {
        ifreq request{};
        REQUIRE(ioctl(queue.get(), TUNGETIFF, &request) == 0);
        CHECK(std::string{&request.ifr_name[0]} == "vmtap0");
        CHECK((request.ifr_flags & IFF_MULTI_QUEUE) != 0);
        CHECK((request.ifr_flags & IFF_VNET_HDR) != 0);
        CHECK(fcntl(queue.get(), F_GETFD) == FD_CLOEXEC);
    }
    const Wire wire{"v1"};
    const Frame to_guest = frame(broadcast, server, "to any queue");
    wire.send(to_guest);
    CHECK(queue_sees(queues, to_guest));
}

TEST_CASE("a tap goes with the last copy of its queues, and without privilege") {
    const PrivateHost host;
    make_bridge();
    const std::vector<Link> before = links_now();
    REQUIRE(in_child([&] {
        KernelExecutor executor;
        AppliedLinks applied{executor};
        applied.apply(bridge_plan().operations);
        demand(links_now() != before, "a tap is there");
        drop_capability(CAP_NET_ADMIN);
        const std::vector<Fault> left = applied.undo();
        demand(left.empty(), "nothing was left: " + (left.empty() ? "" : to_text(left.front())));
        demand(links_now() == before, "the tap is gone");
    }));
    CHECK(links_now() == before);
}

TEST_CASE("undo deletes a tap even when somebody has a copy of its queue") {
    const PrivateHost host;
    make_bridge();
    const std::vector<Link> before = links_now();
    KernelExecutor executor;
    AppliedLinks applied{executor};
    applied.apply(bridge_plan().operations);
    const std::vector<OwnedFd> copies = executor.take_queues(0);
    CHECK(applied.undo().empty());
    CHECK(links_now() == before);
    CHECK(applied.undo().empty());
}

TEST_CASE("undo leaves a link alone that took the place of a tap that went") {
    const PrivateHost host;
    make_bridge();
    KernelExecutor executor;
    AppliedLinks applied{executor};
    applied.apply(bridge_plan().operations);
    const int index = link_now("vmtap0").index;
    executor.take_queues(0).clear();  // QEMU is gone, and the tap with it
    sh("ip link add vmtap0 index " + std::to_string(index) + " type bridge");
    CHECK(applied.undo().empty());
    CHECK(link_now("vmtap0").kind == "bridge");
}

TEST_CASE("a failure in the middle undoes what was done before it") {
    const PrivateHost host;
    make_bridge();
    const std::vector<Link> before = links_now();
    KernelExecutor executor;
    AppliedLinks applied{executor};
    std::vector<Operation> operations = bridge_plan().operations;
    const auto second = bridge_plan({.queues = 2}, 1).operations;
    operations.insert(operations.end(), second.begin(), second.end());

    SECTION("a bridge that went away") {
        operations.emplace_back(SetMaster{1, "gone"});
        const std::string text = text_of([&] { applied.apply(operations); });
        CHECK(text.find("cannot make vmtap1 a port of gone\n  why:  No such device") == 0);
    }
    SECTION("a lower device that went away") {
        operations.emplace_back(CreateMacvtap{.nic = 2, .name = "mv0", .lower = "gone", .mac = guest});
        const std::string text = text_of([&] { applied.apply(operations); });
        CHECK(text.find("cannot create the macvtap mv0 on gone\n  why:  No such device") == 0);
    }
    SECTION("a name that is taken") {
        operations.emplace_back(CreateTap{.nic = 2, .name = "vmtap1", .mac = guest});
        const std::string text = text_of([&] { applied.apply(operations); });
        CHECK(text.find("cannot make the tap vmtap1\n  why:  Device or resource busy") == 0);
    }
    SECTION("an MTU that the kernel refuses") {
        operations.emplace_back(CreateTap{.nic = 2, .name = "vmtap%d", .mtu = 70000, .mac = server});
        const std::string text = text_of([&] { applied.apply(operations); });
        CHECK(text.find("mtu greater than device maximum") != std::string::npos);
    }
    CHECK(links_now() == before);
    CHECK(applied.undo_list().empty());
}

TEST_CASE("a tap that exists is never attached to") {
    const PrivateHost host;
    sh("ip tuntap add dev mine mode tap vnet_hdr");
    const std::vector<Link> before = links_now();
    KernelExecutor executor;
    CHECK(text_of([&] { executor.carry_out(CreateTap{.name = "mine", .mac = guest}); }).find("busy") !=
          std::string::npos);
    CHECK(links_now() == before);
}

TEST_CASE("the kernel's own words and errno reach the error") {
    const PrivateHost host;
    sh("ip link add v0 type veth peer name v1 && ip link add br0 type bridge");
    NetlinkSocket socket;
    const Link link = link_now("v0");
    CHECK(text_of([&] { change_link(socket, link.index, "v0", {.mtu = 70000}); }) ==
          "cannot give v0 the MTU 70000\n  why:  Invalid argument: mtu greater than device maximum\n"
          "  hint: choose an MTU that the kernel's text allows");
    // libnl would call this NLE_NOADDR, "Invalid address for specified address family"
    CHECK(text_of([&] {
              change_link(socket, link.index, "v0", {.mac = broadcast});
          }).find("why:  Cannot assign requested address") != std::string::npos);
    CHECK(text_of([&] {
              set_master(socket, 1, "lo", link_now("br0"));
          }).find("cannot make lo a port of br0") == 0);
    delete_link(socket, 9999, "gone already");
}

TEST_CASE("without CAP_NET_ADMIN the error names what a container needs") {
    const PrivateHost host;
    make_bridge();
    REQUIRE(in_child([&] {
        const std::vector<Operation> operations = bridge_plan().operations;
        drop_capability(CAP_NET_ADMIN);
        KernelExecutor executor;
        AppliedLinks applied{executor};
        const std::string text = text_of([&] { applied.apply(operations); });
        demand(text.find("Operation not permitted") != std::string::npos, text);
        demand(text.find("--cap-add NET_ADMIN") != std::string::npos, text);
    }));
}
