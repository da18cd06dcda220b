// When vm-launch may press a key or answer for a router.
#include <string>

#include "launcher/shortcuts.h"
#include "netserve/router_advertisement.h"
#include "tests/unit/bootwatch_frames.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

using namespace boot::test;

const std::string prompt = "Press Ctrl-B for the iPXE command line...";
const std::string banner = "iPXE 1.0 -- Open Source Network Boot Firmware -- http://ipxe.org";

Shortcuts shortcuts(bool key = true, std::vector<std::string> nics = {"net0"}) {
    return Shortcuts{{key, std::move(nics)}, {{"net0", guest}, {"net1", boot::Mac{2, 0, 0, 0, 0, 1}}}};
}

boot::Boot ipxe_boot() {
    boot::Boot boot;
    boot.ipxe = "1.0";
    return boot;
}

// ICMPv6 type 133 from the guest, or 134 to it.
std::string icmp6(bool from_guest, unsigned type) {
    const std::string body = std::string(1, static_cast<char>(type)) + std::string(15, '\0');
    return ethernet(from_guest, 0x86DD,
                    std::string{"\x60\0\0\0", 4} + be16(static_cast<unsigned>(body.size())) + "\x3a\xff" +
                        std::string(32, '\x01') + body);
}

bool searches(Shortcuts& shortcuts, const std::string& frame, std::size_t nic = 0) {
    const auto packet = boot::decode_frame(bytes_of(frame));
    REQUIRE(packet);
    return shortcuts.is_search(nic, *packet);
}

TEST_CASE("one key for each prompt of iPXE") {
    Shortcuts keys = shortcuts();
    CHECK_FALSE(keys.is_prompt("login:"));
    CHECK(keys.is_prompt(prompt));
    keys.key_pressed(0.4);
    CHECK_FALSE(keys.is_prompt(prompt));
    keys.line("net0: 52:54:00:00:00:01 using virtio-net");
    CHECK_FALSE(keys.is_prompt(prompt));
    keys.line(banner);  // of the next NIC's iPXE
    CHECK(keys.is_prompt(prompt));
    keys.key_pressed(20);
    keys.reset();
    CHECK(keys.is_prompt(prompt));
    CHECK(keys.done().size() == 2);
}

TEST_CASE("no key where it was not asked for, nor once anything was fetched") {
    CHECK_FALSE(shortcuts(false).is_prompt(prompt));
    CHECK(Shortcuts::may_press(ipxe_boot()));
    boot::Boot fetched = ipxe_boot();
    fetched.fetches.emplace_back();
    CHECK_FALSE(Shortcuts::may_press(fetched));
    boot::Boot seen_on_console = ipxe_boot();
    seen_on_console.marks.push_back({boot::Stage::fetch, 3, boot::Proof::console, ""});
    CHECK_FALSE(Shortcuts::may_press(seen_on_console));
}

TEST_CASE("the guest's search for a router is to be answered, and nobody else's") {
    Shortcuts router = shortcuts();
    CHECK(searches(router, icmp6(true, 133)));
    CHECK_FALSE(searches(router, icmp6(false, 133)));  // another machine's
    CHECK_FALSE(searches(router, icmp6(true, 135)));
    CHECK_FALSE(searches(router, icmp6(true, 133), 1));  // that NIC's are not
    Shortcuts off = shortcuts(true, {});
    CHECK_FALSE(searches(off, icmp6(true, 133)));
}

TEST_CASE("no answer where a real router was seen, whenever") {
    Shortcuts router = shortcuts();
    CHECK(router.may_advertise(0, ipxe_boot()));
    searches(router, icmp6(true, 134));  // the guest's own are no sign of a router
    CHECK(router.may_advertise(0, ipxe_boot()));
    searches(router, icmp6(false, 134));
    CHECK_FALSE(router.may_advertise(0, ipxe_boot()));
    router.reset();
    CHECK_FALSE(router.may_advertise(0, ipxe_boot()));
    CHECK_FALSE(router.may_advertise(1, ipxe_boot()));
}

TEST_CASE("no answer to firmware, nor once a kernel runs") {
    const Shortcuts router = shortcuts();
    CHECK_FALSE(router.may_advertise(0, boot::Boot{}));
    boot::Boot known_by_dhcp;
    known_by_dhcp.dhcp.push_back({boot::Client::ipxe, "net0"});
    CHECK(router.may_advertise(0, known_by_dhcp));
    boot::Boot running = ipxe_boot();
    running.marks.push_back({boot::Stage::kernel, 9, boot::Proof::console, ""});
    CHECK_FALSE(router.may_advertise(0, running));
}

TEST_CASE("what was done is told") {
    Shortcuts router = shortcuts();
    CHECK_FALSE(router.spared_router());
    CHECK(router.advertised(0, 1.234).find("at 1.23 s") == 0);
    CHECK(router.spared_router());
    router.reset();
    CHECK_FALSE(router.spared_router());
    CHECK(router.done().size() == 1);
}

}  // namespace
}  // namespace vml
