// When vm-launch may press a key or answer for a router.
#include <string>

#include "launcher/watch/shortcuts.h"
#include "netserve/router_advertisement.h"
#include "tests/unit/bootwatch_frames.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

using namespace boot::test;

const std::string prompt = "Press Ctrl-B for the iPXE command line...";
const std::string banner = "iPXE 1.0 -- Open Source Network Boot Firmware -- http://ipxe.org";

Shortcuts shortcuts(bool key = true, std::vector<std::string> nics = {"net0"}) {
    return Shortcuts{{key, std::move(nics)}, {{"net0", guest}, {"net1", Mac{2, 0, 0, 0, 0, 1}}}};
}

boot::Boot ipxe_boot() {
    boot::Boot boot;
    boot.ipxe = "1.0";
    return boot;
}

std::string ipv6(bool from_guest, char next, const std::string& body) {
    return ethernet(from_guest, 0x86DD,
                    std::string{"\x60\0\0\0", 4} + be16(static_cast<unsigned>(body.size())) + next + '\xff' +
                        std::string(32, '\x01') + body);
}

// An ICMPv6 message; `flags` is its fifth byte.
std::string icmp6(bool from_guest, unsigned type, char flags = '\0') {
    return ipv6(
        from_guest, '\x3a',
        std::string(1, static_cast<char>(type)) + std::string(3, '\0') + flags + std::string(11, '\0'));
}

std::string udp6(unsigned from, unsigned to) {
    return ipv6(false, '\x11', be16(from) + be16(to) + std::string(12, '\0'));
}

// The same frame with a VLAN tag: another segment's.
std::string tagged(std::string frame) {
    constexpr std::size_t addresses = 12;
    return frame.insert(addresses, std::string{"\x81\0\0\x07", 4});
}

void feed(Shortcuts& shortcuts, const std::string& frame, double at, std::size_t nic = 0) {
    const auto packet = boot::decode_frame(bytes_of(frame));
    REQUIRE(packet);
    shortcuts.packet(nic, *packet, at);
}

boot::DhcpTalk acknowledged(const std::string& file, const std::string& nic = "net0") {
    boot::DhcpTalk talk;
    talk.client = boot::Client::ipxe;
    talk.nic = nic;
    talk.ack.emplace();
    talk.ack->message.bootfile = file;
    return talk;
}

boot::Boot ready_boot() {
    boot::Boot boot = ipxe_boot();
    boot.dhcp.push_back(acknowledged("boot.ipxe"));
    return boot;
}

TEST_CASE("one key for each prompt of iPXE") {
    Shortcuts keys = shortcuts();
    CHECK_FALSE(keys.is_prompt("login:"));
    CHECK(keys.is_prompt(prompt));
    keys.key_pressed(0.4);
    CHECK_FALSE(keys.is_prompt(prompt));
    keys.line("net0: 52:54:00:00:00:01 using virtio-net", ipxe_boot());
    CHECK_FALSE(keys.is_prompt(prompt));
    keys.line(banner, ipxe_boot());  // of the next NIC's iPXE
    CHECK(keys.is_prompt(prompt));
    keys.key_pressed(20);
    keys.reset();
    CHECK(keys.is_prompt(prompt));
    CHECK(keys.done().size() == 2);
}

TEST_CASE("no key where it was not asked for, nor once anything was fetched") {
    CHECK_FALSE(shortcuts(false).is_prompt(prompt));
    CHECK(shortcuts().may_press(ipxe_boot(), 0));
    boot::Boot fetched = ipxe_boot();
    fetched.fetches.emplace_back();
    CHECK_FALSE(shortcuts().may_press(fetched, 0));
    boot::Boot seen_on_console = ipxe_boot();
    seen_on_console.marks.push_back({boot::Stage::fetch, 3, boot::Proof::console, ""});
    CHECK_FALSE(shortcuts().may_press(seen_on_console, 0));
}

TEST_CASE("what the firmware fetched before iPXE asked for an address is iPXE itself") {
    Shortcuts keys{{true, {}, true}, {{"net0", guest}}};
    boot::Boot loaded = ipxe_boot();
    loaded.dhcp.emplace_back().client = boot::Client::firmware;
    loaded.fetches.emplace_back();
    loaded.marks.push_back({boot::Stage::fetch, 3, boot::Proof::wire, ""});
    keys.line(banner, loaded);
    CHECK(keys.may_press(loaded, 0));
    CHECK_FALSE(keys.may_press(loaded, 1.1));
    loaded.dhcp.push_back(acknowledged("boot.ipxe"));
    CHECK_FALSE(keys.may_press(loaded, 0));
    keys.line(banner, loaded);  // read late, or another iPXE: what was fetched may be its script
    CHECK_FALSE(keys.may_press(loaded, 0));
}

TEST_CASE("no key where iPXE may have gone on already: a menu would get it") {
    Shortcuts keys = shortcuts();
    keys.line(banner, ipxe_boot());
    CHECK(keys.may_press(ipxe_boot(), 0.9));
    CHECK_FALSE(keys.may_press(ipxe_boot(), 1.1));  // the prompt may have stood there for as long
    CHECK_FALSE(keys.may_press(ready_boot(), 0));   // it has asked for an address
    keys.line(banner, ready_boot());                // that was another NIC's iPXE
    CHECK(keys.may_press(ready_boot(), 0));
    CHECK(keys.is_prompt(prompt));
    keys.leave_prompt();
    CHECK_FALSE(keys.is_prompt(prompt + "."));
    keys.reset();
    CHECK(keys.may_press(ipxe_boot(), 0));
    CHECK(keys.is_prompt(prompt));
}

TEST_CASE("the guest's search for a router is answered once DHCP has named what to boot, and nobody else's") {
    Shortcuts router = shortcuts();
    CHECK_FALSE(router.answer_in(0, ready_boot(), 1));  // it has not searched
    feed(router, icmp6(false, 133), 1);                 // another machine's
    feed(router, icmp6(true, 135), 1);
    CHECK_FALSE(router.answer_in(0, ready_boot(), 1));
    feed(router, icmp6(true, 133), 1);
    CHECK_FALSE(router.answer_in(0, boot::Boot{}, 9));
    CHECK_FALSE(router.answer_in(0, ipxe_boot(), 9));  // DHCP has said nothing yet
    REQUIRE(router.answer_in(0, ready_boot(), 1.2));
    CHECK(*router.answer_in(0, ready_boot(), 1.2) > 4.39);
    feed(router, icmp6(true, 133), 3);  // it only asks again
    REQUIRE(router.answer_in(0, ready_boot(), 5.4));
    CHECK(*router.answer_in(0, ready_boot(), 5.4) > 0.1);  // a router may still be about to answer
    CHECK(router.answer_in(0, ready_boot(), 5.7) == 0);
    feed(router, icmp6(true, 133), 1, 1);
    CHECK_FALSE(router.answer_in(1, ready_boot(), 9));  // that NIC's are not
    Shortcuts off = shortcuts(true, {});
    feed(off, icmp6(true, 133), 1);
    CHECK_FALSE(off.answer_in(0, ready_boot(), 9));
}

TEST_CASE("a search is answered once, and the next one again") {
    Shortcuts router = shortcuts();
    feed(router, icmp6(true, 133), 1);
    router.advertised(0, 6);
    CHECK_FALSE(router.answer_in(0, ready_boot(), 6));
    feed(router, icmp6(true, 133), 7);
    CHECK(router.answer_in(0, ready_boot(), 7) == 0);  // who would have answered has had the time
    router.reset();
    feed(router, icmp6(true, 133), 20);
    REQUIRE(router.answer_in(0, ready_boot(), 20));
    CHECK(*router.answer_in(0, ready_boot(), 20) > 4.5);
}

TEST_CASE("a guest whose DHCP named nothing to boot may be one that boots over IPv6") {
    Shortcuts router = shortcuts();
    feed(router, icmp6(true, 133), 1);
    const auto answered = [&](boot::DhcpTalk talk) {
        boot::Boot boot = ipxe_boot();
        boot.dhcp.push_back(std::move(talk));
        return router.answer_in(0, boot, 9).has_value();
    };
    CHECK_FALSE(answered(acknowledged("")));
    CHECK_FALSE(answered(acknowledged("boot.ipxe", "net1")));
    CHECK(answered(acknowledged("boot.ipxe")));
    boot::DhcpTalk root = acknowledged("");
    root.ack->message.root_path = "iscsi:10.0.0.1::::iqn.x";
    CHECK(answered(root));
    boot::DhcpTalk offered = acknowledged("boot.ipxe");
    offered.offers.push_back(*offered.ack);
    offered.ack.reset();
    CHECK_FALSE(answered(offered));
    boot::DhcpTalk proxy = acknowledged("");
    proxy.offers.emplace_back();
    proxy.offers.back().message.bootfile = "boot.ipxe";
    CHECK(answered(proxy));
    boot::DhcpTalk firmware = acknowledged("boot.efi");
    firmware.client = boot::Client::firmware;
    CHECK_FALSE(answered(firmware));
}

TEST_CASE("no answer where anybody has shown a sign of IPv6's routing, whenever") {
    const std::string query =
        ipv6(false, '\0', std::string{"\x3a\0\x05\x02\0\0\x01\0", 8} + '\x82' + std::string(23, '\0'));
    for (const std::string& sign :
         {icmp6(false, 134), icmp6(false, 130), icmp6(false, 137), icmp6(false, 136, '\x80'), query,
          udp6(546, 547), udp6(547, 546), udp6(521, 521), ipv6(false, '\x59', std::string(8, '\0')),
          ipv6(false, '\x67', std::string(8, '\0')), ipv6(false, '\x70', std::string(8, '\0'))}) {
        Shortcuts router = shortcuts();
        feed(router, sign, 0.1);
        feed(router, icmp6(true, 133), 1);
        CHECK_FALSE(router.answer_in(0, ready_boot(), 9));
        router.reset();
        feed(router, icmp6(true, 133), 20);
        CHECK_FALSE(router.answer_in(0, ready_boot(), 30));
    }
    Shortcuts router = shortcuts();
    feed(router, icmp6(true, 134), 0.1);  // the guest's own are no sign of a router
    for (const std::string& other :
         {icmp6(false, 133), icmp6(false, 135), icmp6(false, 136, '\x60'), icmp6(false, 143),
          udp6(5353, 5353), ethernet(false, 0x0800, std::string(60, '\x3a')), tagged(icmp6(false, 134))}) {
        feed(router, other, 0.2);
    }
    feed(router, icmp6(true, 133), 1);
    CHECK(router.answer_in(0, ready_boot(), 9) == 0);
}

TEST_CASE("no answer once a kernel runs, nor to what was asked before a reset") {
    Shortcuts router = shortcuts();
    feed(router, icmp6(true, 133), 1);
    boot::Boot running = ready_boot();
    running.marks.push_back({boot::Stage::kernel, 9, boot::Proof::console, ""});
    CHECK_FALSE(router.answer_in(0, running, 10));
    router.reset();
    CHECK_FALSE(router.answer_in(0, ready_boot(), 10));
}

TEST_CASE("frames that are cut short show nothing") {
    const std::string whole = udp6(546, 547);
    for (std::size_t size = 0; size < 54; ++size) {
        const auto packet = boot::decode_frame(bytes_of(std::string_view{whole}.substr(0, size)));
        CHECK_FALSE((packet && packet->ipv6_routing));
    }
}

TEST_CASE("what was done is told") {
    Shortcuts router = shortcuts();
    CHECK_FALSE(router.spared_router());
    CHECK(router.advertised(0, 1.234).find("at 1.23 s") == 0);
    CHECK(router.spared_router());
    router.reset();
    CHECK_FALSE(router.spared_router());
    CHECK(router.done().size() == 1);
    CHECK(router.done_in_boot().empty());
    router.link_taken_down("net0", 9);
    CHECK(router.done_in_boot().size() == 1);
}

TEST_CASE("what is done without end is counted") {
    Shortcuts link = shortcuts();
    for (int i = 0; i < 100000; ++i) {
        link.link_taken_down("net0", i);
    }
    CHECK(link.done().size() == Shortcuts::most_done + 1);
    CHECK(link.done().back() == "and 99950 more were left out");
    CHECK(link.done_in_boot().size() == Shortcuts::most_done);
}

}  // namespace
}  // namespace vml
