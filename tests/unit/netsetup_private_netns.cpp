// Network namespaces without a name, against the real kernel.
#include <filesystem>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>

#include <linux/capability.h>
#include <net/if.h>

#include "netsetup/kernel_executor.h"
#include "netsetup/plan.h"
#include "netsetup/private_netns.h"
#include "tests/unit/catch.h"
#include "tests/unit/netsetup_support.h"

using namespace vml;
using namespace vml::net;
using namespace vml::net::test;

namespace {

std::string namespace_now() {
    return std::filesystem::read_symlink("/proc/thread-self/ns/net");
}

std::size_t threads_now() {
    const std::filesystem::directory_iterator tasks{"/proc/self/task"};
    return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

}  // namespace

TEST_CASE("a task runs inside a private namespace, and the caller is outside again") {
    const PrivateHost host;
    const std::string outside = namespace_now();
    std::string first;
    const PrivateNetns netns{[&] { first = namespace_now(); }};
    CHECK(netns.fd() >= 0);
    CHECK(threads_now() == 1);  // the one that made it has ended: it would keep privileges
    CHECK(namespace_now() == outside);
    std::string inside;
    netns.run([&] { inside = namespace_now(); });
    CHECK(inside != outside);
    CHECK(inside == first);
    CHECK(namespace_now() == outside);
}

TEST_CASE("what a task inside throws comes out, outside") {
    const PrivateHost host;
    const std::string outside = namespace_now();
    const PrivateNetns netns;
    CHECK_THROWS_AS(netns.run([] { throw std::runtime_error{"no"}; }), std::runtime_error);
    CHECK(namespace_now() == outside);
    const PrivateNetns failing{[] { throw std::runtime_error{"no"}; }};
    CHECK_THROWS_AS(failing.fd(), std::runtime_error);
}

TEST_CASE("without the privilege the namespace is refused where it is needed, not where it is begun") {
    REQUIRE(in_child([] {
        drop_capability(CAP_SYS_ADMIN);
        demand(!may_make_netns(), "it is known");
        const PrivateNetns netns;
        std::string text;
        try {
            (void)netns.fd();
        } catch (const Error& error) {
            text = error.what();
        }
        demand(text.find("CAP_SYS_ADMIN") != std::string::npos, text);
    }));
}

TEST_CASE("a macvtap takes the home that was begun for it") {
    const PrivateHost host;
    sh("ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up");
    KernelExecutor::Homes ahead;
    ahead.push_back(std::make_unique<MacvtapHome>());
    const MacvtapHome& home = *ahead.front();
    KernelExecutor executor{std::move(ahead)};
    AppliedLinks applied{executor};
    applied.apply(plan_direct_nic({.device = "v0", .guest_mac = guest}, host_network_facts()).operations);
    unsigned index = 0;
    home.netns.run([&] { index = if_nametoindex("vmmac0"); });
    CHECK(index != 0);
    CHECK(if_nametoindex("vmmac0") == 0);
}
