// The parts of netsetup/ that make no system call.
#include <limits>

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <sys/sysmacros.h>

#include "netsetup/executor.h"
#include "netsetup/forward_rules.h"
#include "netsetup/hint.h"
#include "netsetup/link_requests.h"
#include "netsetup/plan.h"
#include "netsetup/tag.h"
#include "netsetup/uevent.h"
#include "tests/unit/catch.h"
#include "tests/unit/netsetup_support.h"

using namespace vml;
using namespace vml::net;
using vml::net::test::guest;

namespace {

HostNetworkFacts good_facts() {
    HostNetworkFacts facts;
    facts.net_admin = true;
    facts.sys_admin = true;
    facts.links = {
        Link{.index = 1, .name = "lo", .up = true, .carrier = true, .loopback = true, .mtu = 65536},
        Link{.index = 2,
             .name = "br0",
             .kind = "bridge",
             .up = true,
             .carrier = true,
             .ethernet = true,
             .mtu = 9000,
             .bridge = BridgeFacts{}},
        Link{.index = 3,
             .name = "eth0",
             .up = true,
             .carrier = true,
             .ethernet = true,
             .mtu = 9000,
             .master = 2,
             .port_of_kind = "bridge",
             .port_state = PortState::forwarding},
        Link{.index = 4, .name = "eth1", .up = true, .carrier = true, .ethernet = true, .mtu = 1500},
    };
    return facts;
}

Link& named(HostNetworkFacts& facts, const std::string& name) {
    return *std::find_if(facts.links.begin(), facts.links.end(),
                         [&](const Link& link) { return link.name == name; });
}

const BridgeRequest on_bridge{
    .nic = 1, .bridge = "br0", .guest_mac = guest, .queues = {.queues = 2}, .owner = "alpha"};
const DirectRequest on_device{.nic = 2, .device = "eth1", .guest_mac = guest, .owner = "alpha"};

}  // namespace

TEST_CASE("MAC addresses are read and written") {
    CHECK(mac_from_text("52:54:00:12:34:56") == guest);
    CHECK(mac_from_text("FE:00:00:00:00:0a") == Mac{0xFE, 0, 0, 0, 0, 10});
    CHECK(mac_text(guest) == "52:54:00:12:34:56");
    for (const char* bad : {"", "52:54:00:12:34", "52:54:00:12:34:5", "52-54-00-12-34-56",
                            "52:54:00:12:34:5g", "52:54:00:12:34:567", "+2:54:00:12:34:56"}) {
        CHECK_FALSE(mac_from_text(bad));
    }
}

TEST_CASE("a tap's address is never the lowest on the bridge, and never the guest's") {
    CHECK(mac_text(tap_mac_for(guest)) == "fe:54:00:12:34:56");
    CHECK(mac_text(tap_mac_for({0xFE, 1, 2, 3, 4, 5})) == "fa:01:02:03:04:05");
}

TEST_CASE("a tag survives the alias, and nothing else is taken for one") {
    const Tag tag = make_tag("web:1");
    CHECK(tag.owner == "web_1");
    CHECK(parse_tag(to_alias(tag)) == tag);
    CHECK(make_tag("a").token != make_tag("a").token);
    CHECK(to_alias(make_tag(std::string(500, 'x'))).size() < 256);
    for (const char* bad : {"", "vm-launch:", "vm-launch:a", "vm-launch:a:", "vm-launch:a:0123456789abcde",
                            "vm-launch:a:0123456789ABCDEF", "vm-launch:a:0123456789abcdef0",
                            "x:a:0123456789abcdef", "vm-launch:a:b:0123456789abcdef"}) {
        CHECK_FALSE(parse_tag(bad));
    }
}

TEST_CASE("a device event gives the device number") {
    using namespace std::string_literals;
    const std::string event =
        "add@/devices/virtual/net/mv0/macvtap/tap7\0ACTION=add\0SUBSYSTEM=macvtap\0MAJOR=246\0MINOR=1\0DEVNAME=tap7\0SEQNUM=868\0"s;
    CHECK(parse_uevent(event, "tap7") == makedev(246, 1));
    CHECK_FALSE(parse_uevent(event, "tap"));
    CHECK_FALSE(parse_uevent(event, "tap77"));
    CHECK_FALSE(parse_uevent("remove@x\0ACTION=remove\0MAJOR=246\0MINOR=1\0DEVNAME=tap7\0"s, "tap7"));
    CHECK_FALSE(parse_uevent("add@x\0ACTION=add\0MAJOR=246\0MINOR=\0DEVNAME=tap7\0"s, "tap7"));
    CHECK_FALSE(parse_uevent("", "tap7"));
}

TEST_CASE("a verdict is read with and without the echoed request") {
    const auto verdict = [](int flags, std::size_t echoed) {
        NlMessage message{nlmsg_alloc_simple(NLMSG_ERROR, flags)};
        nlmsgerr error{-EINVAL, {}};
        error.msg.nlmsg_len = static_cast<std::uint32_t>(NLMSG_HDRLEN + echoed);
        (void)nlmsg_append(message.get(), &error, sizeof error, NLMSG_ALIGNTO);
        std::vector<char> payload((flags & NLM_F_CAPPED) != 0 ? 0 : echoed);
        (void)nlmsg_append(message.get(), payload.data(), payload.size(), NLMSG_ALIGNTO);
        (void)nla_put_string(message.get(), NLMSGERR_ATTR_MSG, "mtu too large");
        return parse_answer(*nlmsg_hdr(message.get()));
    };
    CHECK(verdict(NLM_F_ACK_TLVS, 64) == Answer{EINVAL, "mtu too large"});
    CHECK(verdict(NLM_F_ACK_TLVS | NLM_F_CAPPED, 64) == Answer{EINVAL, "mtu too large"});
    CHECK(verdict(NLM_F_CAPPED, 64) == Answer{EINVAL, ""});
}

TEST_CASE("a verdict that makes no sense is read without harm") {
    const auto verdict = [](std::uint32_t echoed, std::size_t there, int number = -EINVAL) {
        NlMessage message{nlmsg_alloc_simple(NLMSG_ERROR, NLM_F_ACK_TLVS)};
        nlmsgerr error{number, {}};
        error.msg.nlmsg_len = echoed;
        (void)nlmsg_append(message.get(), &error, sizeof error, NLMSG_ALIGNTO);
        (void)nla_put(message.get(), NLMSGERR_ATTR_MSG, static_cast<int>(there), "mtu too large");
        return parse_answer(*nlmsg_hdr(message.get()));
    };
    CHECK(verdict(NLMSG_HDRLEN, 3) == Answer{EINVAL, "mtu"});  // not ended by a zero
    for (const std::uint32_t echoed : {0U, 15U, 64U, 0x10000U, 0x7FFFFFFFU, 0x80000000U, 0xFFEA0000U}) {
        CAPTURE(echoed);
        CHECK(verdict(echoed, 3) == Answer{EINVAL, ""});
    }
    for (const int number : {1, -4096, std::numeric_limits<int>::min()}) {
        CAPTURE(number);
        CHECK(verdict(NLMSG_HDRLEN, 3, number) == Answer{EBADMSG, ""});
    }
}

TEST_CASE("a base chain that drops what is forwarded") {
    const auto drops = [](unsigned char family, std::uint32_t hook, std::uint32_t policy) {
        NlMessage message{nlmsg_alloc_simple((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWCHAIN, 0)};
        nfgenmsg header{family, NFNETLINK_V0, 0};
        (void)nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
        nlattr* const nest = nla_nest_start(message.get(), NFTA_CHAIN_HOOK);
        (void)nla_put_u32(message.get(), NFTA_HOOK_HOOKNUM, htonl(hook));
        nla_nest_end(message.get(), nest);
        (void)nla_put_u32(message.get(), NFTA_CHAIN_POLICY, htonl(policy));
        return chain_drops_forwarded(*nlmsg_hdr(message.get()));
    };
    CHECK(drops(NFPROTO_IPV4, NF_INET_FORWARD, NF_DROP));
    CHECK(drops(NFPROTO_INET, NF_INET_FORWARD, NF_DROP));
    CHECK_FALSE(drops(NFPROTO_IPV6, NF_INET_FORWARD, NF_DROP));
    CHECK_FALSE(drops(NFPROTO_IPV4, NF_INET_LOCAL_IN, NF_DROP));
    CHECK_FALSE(drops(NFPROTO_IPV4, NF_INET_FORWARD, NF_ACCEPT));
}

TEST_CASE("a link message of a kernel that says little or nonsense is read without harm") {
    NlMessage message{nlmsg_alloc_simple(RTM_NEWLINK, 0)};
    CHECK(parse_link(*nlmsg_hdr(message.get())) == Link{});
    ifinfomsg header{};
    header.ifi_index = 5;
    (void)nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
    (void)nla_put_u8(message.get(), IFLA_MTU, 1);         // too short for a number of 32 bits
    (void)nla_put(message.get(), IFLA_IFNAME, 3, "abc");  // not ended by a zero
    (void)nla_put(message.get(), IFLA_ADDRESS, 2, "ab");
    CHECK(parse_link(*nlmsg_hdr(message.get())) == Link{.index = 5, .name = "abc"});
}

TEST_CASE("the plan for a bridge") {
    const NicPlan plan = plan_bridge_nic(on_bridge, good_facts());
    CHECK(plan.faults.empty());
    CHECK(plan.warnings.empty());
    CHECK(plan.forwards_after.count() == 0);
    CHECK(plan.operations == std::vector<Operation>{
                                 CreateTap{1,
                                           "vmtap%d",
                                           "vm-launch:alpha 52:54:00:12:34:56",
                                           {2, true},
                                           9000,
                                           *mac_from_text("fe:54:00:12:34:56")},
                                 SetMaster{1, "br0"},
                                 SetUp{1},
                             });
    CHECK(inverses(plan.operations) == std::vector<Operation>{DeleteLink{1}});
    CHECK(describe(plan.operations[0]) ==
          "NIC 1: make the tap vmtap%d (the kernel takes the first free number): 2 queues with virtio-net "
          "headers, MTU 9000, MAC "
          "fe:54:00:12:34:56");
    CHECK(describe(plan.operations[1]) == "NIC 1: make the link a port of br0");
}

TEST_CASE("the plan for a device") {
    HostNetworkFacts facts = good_facts();
    const NicPlan plan = plan_direct_nic(on_device, facts);
    CHECK(plan.faults.empty());
    CHECK(plan.operations ==
          std::vector<Operation>{CreateMacvtap{2, "vmmac%d", "eth1", MacvlanMode::bridge, guest, 1500,
                                               Lifetime::with_its_queues, "alpha"},
                                 OpenMacvtap{2, {}}});
    CHECK(inverses(plan.operations) == std::vector<Operation>{CloseQueues{2}, DeleteLink{2}});
    facts.sys_admin = false;
    CHECK(std::get<CreateMacvtap>(plan_direct_nic(on_device, facts).operations[0]).lifetime ==
          Lifetime::until_reconcile);
    CHECK(describe(plan_direct_nic(on_device, facts).operations[0])
              .find("tagged, so that the next start deletes it") != std::string::npos);
}

TEST_CASE("a plan with faults has no operations, and all of the faults") {
    HostNetworkFacts facts = good_facts();
    facts.net_admin = false;
    facts.tun_error = ENOENT;
    named(facts, "br0").up = false;
    BridgeRequest request = on_bridge;
    request.tap_name = "a name that is too long";
    const NicPlan plan = plan_bridge_nic(request, facts);
    CHECK(plan.operations.empty());
    CHECK(plan.faults.size() == 4);
}

TEST_CASE("a bridge with spanning tree gives the time to wait") {
    CHECK(time_to_forward({.stp = false, .forward_delay_cs = 1500}).count() == 0);
    CHECK(time_to_forward({.stp = true, .forward_delay_cs = 1500}) == std::chrono::seconds{30});
    HostNetworkFacts facts = good_facts();
    named(facts, "br0").bridge = BridgeFacts{.stp = true, .forward_delay_cs = 1500};
    const NicPlan plan = plan_bridge_nic(on_bridge, facts);
    CHECK(plan.forwards_after == std::chrono::seconds{30});
    REQUIRE(plan.warnings.size() == 1);
    CHECK(plan.warnings[0].why == "spanning tree is on: a new port forwards only after 30.0 s");
}

TEST_CASE("a wireless device is refused") {
    HostNetworkFacts facts = good_facts();
    named(facts, "eth1").wireless = true;
    const std::vector<Fault> faults = faults_in(check_direct(on_device, facts));
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].why == "it is wireless: an access point drops frames of a second MAC address");
}

TEST_CASE("a bridge that puts new ports in no VLAN is worth a warning") {
    HostNetworkFacts facts = good_facts();
    named(facts, "br0").bridge = BridgeFacts{.vlan_filtering = true, .default_pvid = 0};
    const std::vector<Finding> findings = check_bridge(on_bridge, facts);
    CHECK(faults_in(findings).empty());
    REQUIRE(warnings_in(findings).size() == 1);
    CHECK(warnings_in(findings)[0].why.find("puts a new port in none") != std::string::npos);
    named(facts, "br0").bridge->default_pvid = 1;
    CHECK(check_bridge(on_bridge, facts).empty());
}

TEST_CASE("names that the kernel would refuse") {
    BridgeRequest request = on_bridge;
    for (const char* bad : {"", ".", "..", "a/b", "a:b", "a b", "sixteen-letters-", "a%s", "a%d%d", "a%"}) {
        INFO(bad);
        request.tap_name = bad;
        const std::vector<Fault> faults = faults_in(check_bridge(request, good_facts()));
        REQUIRE(faults.size() == 1);
        CHECK(faults[0].code == ExitCode::settings);
    }
    for (const char* good : {"a", "fifteen-letters", "tap%d", "tap%d.x"}) {
        request.tap_name = good;
        CHECK(check_bridge(request, good_facts()).empty());
    }
    request.tap_name = "eth1";
    CHECK(faults_in(check_bridge(request, good_facts())).at(0).why == "a link named eth1 exists");
}

TEST_CASE("hints belong to a step and an errno") {
    CHECK(hint_for(Step::open_tun, ENOENT).find("--device /dev/net/tun") != std::string::npos);
    CHECK(hint_for(Step::attach_tap, EPERM).find("--cap-add NET_ADMIN") != std::string::npos);
    CHECK(hint_for(Step::open_macvtap, EPERM).find("--device-cgroup-rule") != std::string::npos);
    CHECK(hint_for(Step::attach_tap, EIO).empty());
}

namespace {

// Fails at one operation, or in undoing.
class Faulty : public Executor {
  public:
    explicit Faulty(Operation at) : at_{std::move(at)} {}
    void carry_out(const Operation& operation) override {
        if (operation == at_) {
            throw Error{Fault{"cannot do " + describe(operation), {}, {}, ExitCode::host}};
        }
        done.push_back(operation);
    }
    std::vector<OwnedFd> take_queues(unsigned) override { return {}; }
    [[nodiscard]] std::string link_name(unsigned) const override { return {}; }

    std::vector<Operation> done;

  private:
    Operation at_;
};

const std::vector<Operation> four = {CreateTap{.nic = 1, .name = "t"}, SetUp{1},
                                     CreateMacvtap{.nic = 2, .name = "m"}, OpenMacvtap{2, {}}};

}  // namespace

TEST_CASE("a dry run notes what would be done") {
    DryRun dry;
    {
        AppliedLinks applied{dry};
        applied.apply(four);
        CHECK(dry.noted() == four);
        CHECK(dry.link_name(2) == "m");
        CHECK(applied.undo_list() == std::vector<Operation>{CloseQueues{2}, DeleteLink{2}, DeleteLink{1}});
    }
    CHECK(dry.noted().size() == four.size() + 3);
}

TEST_CASE("what was done is undone in reverse, and an undo that fails does not stop the others") {
    Faulty executor{OpenMacvtap{2, {}}};
    AppliedLinks applied{executor};
    CHECK_THROWS_AS(applied.apply(four), Error);
    CHECK(executor.done == std::vector<Operation>{four[0], four[1], four[2], DeleteLink{2}, DeleteLink{1}});

    Faulty stubborn{DeleteLink{2}};
    AppliedLinks stays{stubborn};
    stays.apply(four);
    const std::vector<Fault> left = stays.undo();
    REQUIRE(left.size() == 1);
    CHECK(left[0].what == "cannot do NIC 2: delete the link that was made");
    CHECK(stubborn.done.back() == Operation{DeleteLink{1}});
    CHECK(stays.undo().empty());
}
