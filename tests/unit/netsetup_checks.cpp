// Every check with a real faulty set-up.
#include <algorithm>
#include <cstring>

#include <arpa/inet.h>
#include <linux/capability.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <netlink/attr.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "netsetup/forward_policy.h"
#include "netsetup/plan.h"
#include "tests/unit/catch.h"
#include "tests/unit/netsetup_support.h"

using namespace vml;
using namespace vml::net;
using namespace vml::net::test;

namespace {

void make_network() {
    sh("ip link add br0 type bridge && ip link set br0 up");
    sh("ip link add v0 address 02:00:00:00:00:10 type veth peer name v1 && ip link set v0 master br0 && ip "
       "link set v0 up && ip link "
       "set v1 up");
    sh("ip link add d0 type veth peer name d1 && ip link set d0 up && ip link set d1 up");
    wait_until_forwarding("v0");
}

NicPlan bridge(const std::string& name = "br0", unsigned mtu = 0) {
    return plan_bridge_nic({.bridge = name, .guest_mac = guest, .mtu = mtu}, host_network_facts());
}

NicPlan direct(const std::string& name = "d0", unsigned mtu = 0) {
    return plan_direct_nic({.device = name, .guest_mac = guest, .mtu = mtu}, host_network_facts());
}

std::string only(const std::vector<Fault>& faults) {
    return faults.size() == 1 ? to_text(faults.front()) : std::to_string(faults.size()) + " faults";
}

// A base chain at the forward hook with the policy drop: what `iptables -P FORWARD DROP` writes today.
void drop_by_nf_tables(std::uint8_t family) {
    const auto message = [&](int type, int flags) {
        NlMessage built{nlmsg_alloc_simple(type, flags)};
        const bool batch = type == NFNL_MSG_BATCH_BEGIN || type == NFNL_MSG_BATCH_END;
        nfgenmsg body{batch ? std::uint8_t{AF_UNSPEC} : family, NFNETLINK_V0,
                      batch ? htons(NFNL_SUBSYS_NFTABLES) : std::uint16_t{0}};
        REQUIRE(nlmsg_append(built.get(), &body, sizeof body, NLMSG_ALIGNTO) == 0);
        return built;
    };
    const NlMessage begin = message(NFNL_MSG_BATCH_BEGIN, 0);
    const NlMessage table = message((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWTABLE, NLM_F_CREATE);
    (void)nla_put_string(table.get(), NFTA_TABLE_NAME, "filter");
    const NlMessage chain = message((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    (void)nla_put_string(chain.get(), NFTA_CHAIN_TABLE, "filter");
    (void)nla_put_string(chain.get(), NFTA_CHAIN_NAME, "FORWARD");
    nlattr* hook = nla_nest_start(chain.get(), NFTA_CHAIN_HOOK);
    (void)nla_put_u32(chain.get(), NFTA_HOOK_HOOKNUM, htonl(NF_INET_FORWARD));
    (void)nla_put_u32(chain.get(), NFTA_HOOK_PRIORITY, 0);
    (void)nla_nest_end(chain.get(), hook);
    (void)nla_put_u32(chain.get(), NFTA_CHAIN_POLICY, htonl(NF_DROP));
    (void)nla_put_string(chain.get(), NFTA_CHAIN_TYPE, "filter");
    const NlMessage end = message(NFNL_MSG_BATCH_END, 0);
    NetlinkSocket socket{NETLINK_NETFILTER};
    for (const Answer& answer : socket.ask({begin.get(), table.get(), chain.get(), end.get()})) {
        INFO(answer.text);
        REQUIRE(answer.error_number == 0);
    }
}

// The old interface: read the table `filter`, change the verdict of the FORWARD policy, write it back.
void drop_by_old_iptables() {
    const OwnedFd fd{socket(AF_INET, SOCK_RAW, IPPROTO_RAW)};
    ipt_getinfo info{};
    std::strcpy(&info.name[0], "filter");
    socklen_t size = sizeof info;
    REQUIRE(getsockopt(fd.get(), IPPROTO_IP, IPT_SO_GET_INFO, &info, &size) == 0);
    std::vector<char> rules(sizeof(ipt_get_entries) + info.size);
    ipt_get_entries header{};
    std::strcpy(&header.name[0], "filter");
    header.size = info.size;
    std::memcpy(rules.data(), &header, sizeof header);
    size = static_cast<socklen_t>(rules.size());
    REQUIRE(getsockopt(fd.get(), IPPROTO_IP, IPT_SO_GET_ENTRIES, rules.data(), &size) == 0);

    std::vector<xt_counters> counters(info.num_entries);
    ipt_replace replace{};
    std::strcpy(&replace.name[0], "filter");
    replace.valid_hooks = info.valid_hooks;
    replace.num_entries = info.num_entries;
    replace.size = info.size;
    std::copy(std::begin(info.hook_entry), std::end(info.hook_entry), std::begin(replace.hook_entry));
    std::copy(std::begin(info.underflow), std::end(info.underflow), std::begin(replace.underflow));
    replace.num_counters = info.num_entries;
    replace.counters = counters.data();
    std::vector<char> request(sizeof replace + info.size);
    std::memcpy(request.data(), &replace, sizeof replace);
    std::memcpy(&request[sizeof replace], &rules[sizeof header], info.size);
    const int drop = -NF_DROP - 1;
    const std::size_t policy =
        sizeof replace + info.underflow[NF_INET_FORWARD] + sizeof(ipt_entry) + sizeof(xt_entry_target);
    std::memcpy(&request[policy], &drop, sizeof drop);
    REQUIRE(setsockopt(fd.get(), IPPROTO_IP, IPT_SO_SET_REPLACE, request.data(),
                       static_cast<socklen_t>(request.size())) == 0);
}

}  // namespace

TEST_CASE("a sound network has nothing to tell") {
    const PrivateHost host;
    make_network();
    CHECK(bridge().faults.empty());
    CHECK(bridge().warnings.empty());
    CHECK(direct().faults.empty());
    CHECK(direct().warnings.empty());
}

TEST_CASE("what is wrong with a bridge") {
    const PrivateHost host;
    make_network();
    SECTION("there is none of that name") {
        sh("ip link add br7 type bridge");
        CHECK(only(bridge("br1").faults) ==
              "cannot put NIC 0 on the bridge br1\n  why:  there is no such bridge\n  hint: the bridges "
              "here: br0, br7");
    }
    SECTION("there is none at all") {
        sh("ip link delete br0");
        CHECK(only(bridge().faults).find("there is none: `ip link add br0 type bridge` makes one") !=
              std::string::npos);
    }
    SECTION("it is something else") {
        CHECK(only(bridge("d0").faults).find("d0 is a link of kind veth, not a bridge") != std::string::npos);
    }
    SECTION("it is down") {
        sh("ip link set br0 down");
        CHECK(only(bridge().faults).find("why:  br0 is down\n  hint: `ip link set br0 up`") !=
              std::string::npos);
    }
    SECTION("it has no port") {
        sh("ip link set v0 nomaster");
        CHECK(bridge().faults.empty());
        CHECK(only(bridge().warnings).find("check NIC 0 on the bridge br0\n  why:  it has no port") == 0);
    }
    SECTION("no port has a carrier") {
        sh("ip link set v1 down");
        CHECK(
            only(bridge().warnings)
                .find("none of its ports has a carrier\n  hint: check the cable, or the other end, of v0") !=
            std::string::npos);
    }
    SECTION("spanning tree is on") {
        sh("ip link set br0 type bridge stp_state 1 forward_delay 300");
        CHECK(only(bridge().warnings).find("a new port forwards only after 6.0 s") != std::string::npos);
        CHECK(bridge().forwards_after == std::chrono::seconds{6});
    }
    SECTION("the MTU is larger") {
        CHECK(only(bridge("br0", 9000).faults).find("the MTU 9000 is larger than that of br0, 1500") !=
              std::string::npos);
    }
    SECTION("the MTU is smaller") {
        CHECK(bridge("br0", 1400).faults.empty());
        CHECK(only(bridge("br0", 1400).warnings).find("lowers the bridge's own, 1500") != std::string::npos);
    }
    SECTION("the MTU is none") {
        CHECK(only(bridge("br0", 60).faults).find("an MTU of 60 is too small") != std::string::npos);
    }
}

TEST_CASE("what is wrong with a device") {
    const PrivateHost host;
    make_network();
    SECTION("there is none of that name") {
        CHECK(only(direct("eth9").faults)
                  .find("there is no such device\n  hint: the devices here: v1, v0, d1, d0") !=
              std::string::npos);
    }
    SECTION("it is down") {
        sh("ip link set d0 down");
        CHECK(only(direct().faults).find("d0 is down\n  hint: `ip link set d0 up`") != std::string::npos);
    }
    SECTION("it has no carrier") {
        sh("ip link set d1 down");
        CHECK(direct().faults.empty());
        CHECK(only(direct().warnings).find("it has no carrier") != std::string::npos);
    }
    SECTION("it is a bridge's port") {
        CHECK(only(direct("v0").faults)
                  .find("it is a port of the bridge br0\n  hint: put the NIC on that bridge instead") !=
              std::string::npos);
    }
    SECTION("it is the loopback device") {
        sh("ip link set lo up");
        CHECK(only(direct("lo").faults).find("it is not an Ethernet device") != std::string::npos);
    }
    SECTION("it is a macvlan") {
        sh("ip link add m0 link d0 type macvlan mode bridge && ip link set m0 up");
        CHECK(direct("m0").faults.empty());
        CHECK(only(direct("m0").warnings).find("it is itself a macvlan") != std::string::npos);
        CHECK(direct("d0").warnings.empty());
    }
    SECTION("a macvlan has it to itself") {
        sh("ip link add m0 link d0 type macvlan mode passthru");
        CHECK(only(direct("d0").faults).find("m0 has it to itself") != std::string::npos);
    }
    SECTION("the MTU is larger") {
        CHECK(only(direct("d0", 9000).faults).find("the MTU 9000 is larger than that of d0, 1500") !=
              std::string::npos);
    }
}

TEST_CASE("without CAP_NET_ADMIN, and without /dev/net/tun") {
    const PrivateHost host;
    make_network();
    REQUIRE(in_child([] {
        drop_capability(CAP_NET_ADMIN);
        const std::string text = only(bridge().faults);
        demand(text.find("lacks CAP_NET_ADMIN\n  hint: run as root; in a container add --cap-add NET_ADMIN "
                         "and --device /dev/net/tun") != std::string::npos,
               text);
        const std::string of_macvtap = only(direct().faults);
        demand(of_macvtap.find("lacks CAP_NET_ADMIN\n  hint: run as root; in a container add --cap-add NET_ADMIN "
                               "and --device-cgroup-rule 'c *:* rwm'") != std::string::npos,
               of_macvtap);
    }));
    REQUIRE(in_child([] {
        demand(mount("tmpfs", "/dev", "tmpfs", 0, nullptr) == 0, "mount");
        const std::string text = only(bridge().faults);
        demand(text.find("/dev/net/tun: No such file or directory") != std::string::npos, text);
        demand(text.find("--device /dev/net/tun") != std::string::npos, text);
        demand(direct().faults.empty(), "a macvtap does not need it");
    }));
}

TEST_CASE("a firewall that sees bridged frames and drops what it forwards") {
    const PrivateHost host;
    make_network();
    sh("echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables");
    CHECK(bridge().warnings.empty());
    CHECK_FALSE(forward_policy_drops());
    SECTION("nf_tables, family ip") {
        drop_by_nf_tables(NFPROTO_IPV4);
    }
    SECTION("nf_tables, family inet") {
        drop_by_nf_tables(NFPROTO_INET);
    }
    SECTION("the old iptables") {
        drop_by_old_iptables();
    }
    CHECK(only(bridge().warnings)
              .find("bridge-nf-call-iptables is 1 and the firewall's FORWARD policy is to drop") !=
          std::string::npos);
    CHECK(bridge().faults.empty());
    sh("echo 0 > /proc/sys/net/bridge/bridge-nf-call-iptables");
    CHECK(bridge().warnings.empty());
}

TEST_CASE("the host's own addresses on a bridge, the first one first") {
    const PrivateHost host;
    make_network();
    CHECK(link_named(host_network_facts().links, "br0")->addresses.empty());
    sh("ip addr add 10.77.0.3/24 dev br0 && ip addr add 10.77.0.2/24 dev br0");
    sh("ip addr add 10.88.0.1 peer 10.88.0.2/32 dev br0");
    sh("ip addr add 169.254.1.1/16 scope link dev br0 && ip addr add fd77::3/64 dev br0");
    const HostNetworkFacts facts = host_network_facts();
    std::vector<Ipv4Address> found = link_named(facts.links, "br0")->addresses;
    REQUIRE(found.size() == 3);
    CHECK(to_text(found.front()) == "10.77.0.3");
    std::sort(found.begin(), found.end());
    CHECK(found == std::vector<Ipv4Address>{{10, 77, 0, 2}, {10, 77, 0, 3}, {10, 88, 0, 1}});
    CHECK(link_named(facts.links, "v0")->addresses.empty());
}
