// Evidence → the moment at which a run is over.
#include <cmath>
#include <string>

#include "launcher/watch/boot_observer.h"
#include "tests/unit/bootwatch_frames.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

using namespace boot::test;
using boot::Stage;

ObserverConfig plain() {
    ObserverConfig config;
    config.nics = {{"net0", guest}};
    config.about.ipxe = true;
    return config;
}

Observed see(BootObserver& observer, double at, const std::string& frame) {
    const auto packet = boot::decode_frame(bytes_of(frame));
    REQUIRE(packet);
    return observer.packet(at, 0, *packet);
}

const std::string banner = "iPXE 1.0 -- Open Source Network Boot Firmware -- http://ipxe.org";
const std::string ipxe_discover = dhcp(true, 1, option(77, "iPXE") + option(60, "PXEClient:Arch:00000"));

TEST_CASE("a stage that is waited for ends the run once; a later one does not stand for it") {
    ObserverConfig config = plain();
    config.until = Until{Stage::address, "", "dhcp"};
    BootObserver observer{config};
    observer.started(0);
    observer.line(0.1, banner);
    see(observer, 1, ipxe_discover);
    CHECK_FALSE(see(observer, 2, dhcp(false, 2, "", 0x0A000002)).end);
    CHECK(see(observer, 3, dhcp(false, 5, "", 0x0A000002)).end == BootEnd::until_reached);
    CHECK_FALSE(observer.line(4, "Linux version 6 (x)").end);
    BootObserver later{config};
    later.started(0);
    CHECK_FALSE(later.line(4, "Linux version 6 (x)").end);
    CHECK(later.has_reached(Stage::kernel));
    CHECK_FALSE(later.has_reached(Stage::address));
    CHECK(later.reached() == std::vector<std::string>{"machine", "kernel"});
}

TEST_CASE("a frame with the guest's own address from elsewhere is told once, and is no sign of the guest") {
    BootObserver observer{plain()};
    observer.started(0);
    observer.line(0.1, banner);
    CHECK_FALSE(see(observer, 1, ipxe_discover).warning);
    auto twin = boot::decode_frame(bytes_of(ipxe_discover)).value();
    twin.came_in = true;
    const Observed first = observer.packet(2, 0, twin);
    REQUIRE(first.warning);
    CHECK(first.warning->find("net0's own MAC address 52:54:00:00:00:01 came in from the network at 2.0 s") !=
          std::string::npos);
    CHECK(first.warning->find("--mac") != std::string::npos);
    CHECK(first.marks.empty());
    CHECK_FALSE(observer.packet(3, 0, twin).warning);
    observer.reset(4);
    CHECK_FALSE(observer.packet(5, 0, twin).warning);
    CHECK(observer.boot().guest_frames == 0);
}

TEST_CASE("a text on the console that is waited for") {
    ObserverConfig config = plain();
    config.until = Until{std::nullopt, "log+in:$", "console:log+in:$"};
    BootObserver observer{config};
    observer.started(0);
    CHECK_FALSE(observer.line(1, "log: in").end);
    CHECK(observer.line(2, "debian loggin:").end == BootEnd::until_reached);
    CHECK_FALSE(observer.line(3, "debian login:").end);
    BootObserver prompt{config};
    prompt.started(0);
    CHECK(prompt.partial(2, "debian login:").end == BootEnd::until_reached);
}

TEST_CASE("the firmware has nothing left: told once") {
    BootObserver observer{plain()};
    observer.started(0);
    CHECK(observer.partial(1, "No bootable device.").end == BootEnd::dead_end);
    CHECK_FALSE(observer.partial(1, "No bootable device.").end);
    CHECK(observer.verdict(BootEnd::dead_end, {}).code == ExitCode::boot_timeout);
}

TEST_CASE("the ROM that never ran: seen by what is missing") {
    BootObserver observer{plain()};
    observer.started(0);
    observer.line(0.1, "SeaBIOS (version 1)");
    CHECK(observer.line(1, "No bootable device.").end == BootEnd::dead_end);
    CHECK(observer.verdict(BootEnd::dead_end, {}).code == ExitCode::rom_never_ran);
}

TEST_CASE("the firmware's own PXE instead of iPXE is known by its option 77, or rather the lack of it") {
    BootObserver observer{plain()};
    observer.started(0);
    observer.line(0.1, ">>Start PXE over IPv4.");
    see(observer, 1, dhcp(true, 1, option(60, "PXEClient:Arch:00007:UNDI:003000")));
    const Fault verdict = observer.verdict(std::nullopt, {});
    CHECK(verdict.code == ExitCode::rom_never_ran);
    CHECK(verdict.what.find("firmware's own PXE client") != std::string::npos);
}

TEST_CASE("from the network to the disk: a failure falls through, a script may leave on purpose") {
    ObserverConfig config = plain();
    config.boots_other = true;
    BootObserver failed{config};
    failed.started(0);
    failed.line(0.1, "SeaBIOS (version 1)");
    failed.line(0.2, banner);
    see(failed, 1, ipxe_discover);
    CHECK(failed.line(20, "Booting from Hard Disk...").end == BootEnd::fell_through);
    CHECK(failed.verdict(BootEnd::fell_through, {}).code == ExitCode::no_offer);
    BootObserver meant{config};
    meant.started(0);
    meant.line(0.2, banner);
    meant.line(1, "local.ipxe : 20 bytes [script]");
    CHECK_FALSE(meant.line(2, "Booting from Hard Disk...").end);
}

TEST_CASE("a disk that comes before the network boots, or has nothing and is passed over") {
    ObserverConfig config = plain();
    config.about.ipxe = true;  // which has its turn later
    config.boots_other = config.other_first = config.other_first_later = true;
    for (const char* disk :
         {"Booting from Hard Disk...", "BdsDxe: starting Boot0001 \"UEFI Misc Device\" from x"}) {
        BootObserver boots{config};
        boots.started(0);
        CHECK_FALSE(boots.line(1, disk).end);
        CHECK(boots.verdict({}, {}, 60).code == ExitCode::boot_timeout);
    }
    BootObserver empty{config};
    empty.started(0);
    empty.line(1, "Booting from Hard Disk...");
    CHECK_FALSE(empty.line(2, banner).end);
    see(empty, 3, ipxe_discover);
    CHECK(empty.line(20, "No bootable device.").end == BootEnd::dead_end);
    CHECK(empty.verdict(BootEnd::dead_end, {}).code == ExitCode::no_offer);
    BootObserver back{config};  // the network failed, and the disk is asked once more
    back.started(0);
    back.line(2, banner);
    see(back, 3, ipxe_discover);
    CHECK(back.line(9, "Booting from Hard Disk...").end == BootEnd::fell_through);
}

TEST_CASE("--boot-once: the network first, and the disk once an operating system has run") {
    ObserverConfig config = plain();
    config.boots_other = config.other_first_later = true;
    for (const bool ran : {false, true}) {
        BootObserver observer{config};
        observer.started(0);
        observer.line(0.1, "SeaBIOS (version 1)");
        if (ran) {
            observer.line(2, "Run /init as init process");
        }
        observer.reset(3);
        CHECK(observer.line(4, "Booting from Hard Disk...").end.has_value() == !ran);
    }
}

TEST_CASE("a per-machine script that is not there, handled; and pxelinux's LOCALBOOT: the disk was meant") {
    ObserverConfig config = plain();
    config.boots_other = true;
    BootObserver handled{config};
    handled.started(0);
    handled.line(0.2, banner);
    see(handled, 1, ipxe_discover);
    handled.line(1, "local.ipxe : 20 bytes [script]");
    see(handled, 2, udp(true, 2000, 69, be16(1) + std::string{"mac\0octet\0", 10}));
    see(handled, 3, udp(false, 3000, 2000, be16(5) + be16(1) + "no"));
    handled.line(3, "tftp://10.0.0.1/mac... No such file or directory (http://ipxe.org/2d12603b)");
    BootObserver failed = handled;
    CHECK_FALSE(handled.line(4, "Booting from Hard Disk...").end);
    failed.line(4, "Could not boot image: No such file or directory (http://ipxe.org/2d12603b)");
    CHECK(failed.line(5, "Booting from Hard Disk...").end == BootEnd::fell_through);
    CHECK(failed.verdict(BootEnd::fell_through, {}).code == ExitCode::fetch_failed);
    BootObserver pxelinux{config};
    pxelinux.started(0);
    pxelinux.line(0.2, banner);
    see(pxelinux, 1, ipxe_discover);
    see(pxelinux, 2, udp(true, 2000, 69, be16(1) + std::string{"nbp\0octet\0", 10}));
    see(pxelinux, 3, udp(false, 3000, 2000, be16(3) + be16(1) + std::string{"\1\2\3", 3}));
    see(pxelinux, 4, udp(true, 2001, 69, be16(1) + std::string{"default\0octet\0", 14}));
    see(pxelinux, 5, udp(false, 3001, 2001, be16(3) + be16(1) + "LOCALBOOT 0\n"));
    CHECK_FALSE(pxelinux.line(6, "Booting from Hard Disk...").end);
}

TEST_CASE("iPXE's shell ends the boot where nobody can type") {
    for (const bool somebody : {false, true}) {
        ObserverConfig config = plain();
        config.attended = [somebody] { return somebody; };
        BootObserver observer{config};
        observer.started(0);
        observer.line(0.2, banner);
        const Observed seen = observer.partial(1, "iPXE> ");
        CHECK(seen.end.has_value() == !somebody);
        CHECK(observer.verdict(BootEnd::dead_end, {}).code == ExitCode::not_bootable);
    }
}

TEST_CASE("a loader that loads itself without a reset is a loop, told once") {
    for (const unsigned limit : {0U, 3U}) {
        ObserverConfig config = plain();
        config.reboot_limit = limit;
        BootObserver observer{config};
        observer.started(0);
        observer.line(0.2, banner);
        unsigned loops = 0;
        double at = 1;
        for (unsigned turn = 1; turn <= 4; ++turn) {
            for (const std::string& frame :
                 {ipxe_discover, dhcp(false, 2, "", guest_ip), dhcp(false, 5, "", guest_ip),
                  udp(true, 2000, 69, be16(1) + std::string{"nbp\0octet\0", 10}),
                  udp(false, 3000, 2000, be16(3) + be16(1) + std::string{"\1\2\3", 3})}) {
                const auto end = see(observer, at += 1, frame).end;
                loops += end == BootEnd::chain_loop ? 1U : 0U;
                CHECK((end != BootEnd::chain_loop || turn == 3));
            }
        }
        CHECK(loops == (limit == 0 ? 0 : 1));
        CHECK(observer.verdict(BootEnd::chain_loop, {}).code == ExitCode::reboot_loop);
    }
}

TEST_CASE("a limit that is above what is kept of a boot, and of boots") {
    ObserverConfig config = plain();
    config.reboot_limit = 200;
    BootObserver chain{config};
    chain.started(0);
    chain.line(0.2, banner);
    double at = 1;
    unsigned rounds = 0;
    for (bool loop = false; !loop && rounds < 300; ++rounds) {
        for (const std::string& frame :
             {ipxe_discover, dhcp(false, 2, "", guest_ip), dhcp(false, 5, "", guest_ip),
              udp(true, 2000, 69, be16(1) + std::string{"nbp\0octet\0", 10}),
              udp(false, 3000, 2000, be16(3) + be16(1) + std::string{"\1\2\3", 3})}) {
            loop = see(chain, at += 1, frame).end == BootEnd::chain_loop || loop;
        }
    }
    CHECK(rounds == 200);
    CHECK(chain.verdict(BootEnd::chain_loop, {}).why.find("200 times") != std::string::npos);
    config.reboot_limit = 1000;
    BootObserver reboots{config};
    reboots.started(0);
    at = 1;
    unsigned boots = 0;
    for (bool loop = false; !loop && boots < 1100; ++boots) {
        reboots.line(at += 1, "SeaBIOS (version 1)");
        see(reboots, at += 1, ipxe_discover);
        loop = reboots.reset(at += 1).end == BootEnd::reboot_loop;
    }
    CHECK(boots == 1000);
    CHECK(reboots.verdict(BootEnd::reboot_loop, {}).why.find("1000 boots in a row") != std::string::npos);
}

TEST_CASE("UEFI: iPXE that gives up ends the boot, unless another NIC or a disk has its turn") {
    const std::string failed = "BdsDxe: failed to load Boot0001 \"UEFI PXEv4 (MAC:52)\" from X: Not Found";
    for (const unsigned nics : {1U, 2U}) {
        for (const bool disk : {false, true}) {
            ObserverConfig config = plain();
            config.bootable_nics = nics;
            config.boots_other = disk;
            BootObserver observer{config};
            observer.started(0);
            observer.line(0.2, banner);
            CHECK(observer.line(9, failed).end.has_value() == (nics == 1 && !disk));
        }
    }
}

TEST_CASE("a panic before the system ran ends the boot, one afterwards is the system's own affair") {
    BootObserver early{plain()};
    early.started(0);
    early.line(1, "Linux version 6 (x)");
    CHECK(early.line(2, "Kernel panic - not syncing: VFS: Unable to mount root fs").end == BootEnd::dead_end);
    BootObserver late{plain()};
    late.started(0);
    late.line(2, "Run /init as init process");
    CHECK_FALSE(late.line(3, "Kernel panic - not syncing: x").end);
}

TEST_CASE(
    "network boots that lead to nothing: the third in a row is a loop, resets of one reboot count once") {
    BootObserver observer{plain()};
    observer.started(0);
    double at = 1;
    for (int turn = 1; turn <= 3; ++turn) {
        observer.line(at, "SeaBIOS (version 1)");
        see(observer, at + 1, ipxe_discover);
        const Observed first = observer.reset(at + 2);
        CHECK(first.marks.size() == 1);
        CHECK((first.end == BootEnd::reboot_loop) == (turn == 3));
        CHECK(observer.reset(at + 2.1).marks.empty());
        at += 10;
    }
    CHECK(observer.verdict(BootEnd::reboot_loop, {}).code == ExitCode::reboot_loop);
    CHECK(observer.verdict(BootEnd::reboot_loop, {}).why.find("3 boots in a row") != std::string::npos);
}

TEST_CASE("a system that stayed up, a boot from disk and a limit of 0 are no loop") {
    const auto loops = [](unsigned limit, bool network, double os_lasted) {
        ObserverConfig config = plain();
        config.reboot_limit = limit;
        BootObserver observer{config};
        observer.started(0);
        double at = 0;
        bool loop = false;
        for (int turn = 0; turn < 4; ++turn) {
            observer.line(at, "SeaBIOS (version 1)");
            if (network) {
                see(observer, at + 1, ipxe_discover);
            }
            observer.line(at + 2, "Run /init as init process");
            loop = observer.reset(at + 2 + os_lasted).end == BootEnd::reboot_loop || loop;
            at += 200;
        }
        return loop;
    };
    CHECK(loops(3, true, 1));
    CHECK_FALSE(loops(3, true, boot::lasting_s + 1));
    CHECK_FALSE(loops(3, false, 1));
    CHECK_FALSE(loops(0, true, 1));
    CHECK_FALSE(loops(5, true, 1));
}

TEST_CASE("where the network is not in the boot order, its verdicts are none") {
    ObserverConfig config = plain();
    config.boots_network = false;
    BootObserver observer{config};
    observer.started(0);
    CHECK_FALSE(observer.line(1, "No bootable device.").end);
}

TEST_CASE("something unknown that was started asks for a wait; silence ends it") {
    BootObserver observer{plain()};
    observer.started(0);
    observer.line(0.2, banner);
    see(observer, 1, udp(true, 2000, 69, be16(1) + std::string{"nbp\0octet\0", 10}));
    const Observed seen =
        see(observer, 2, udp(false, 3000, 2000, be16(3) + be16(1) + std::string{"\1\2\3", 3}));
    CHECK(seen.wait_for_silence);
    const Observed early = observer.silence(40);
    CHECK((!early.end && early.wait_for_silence));
    CHECK(std::abs(early.silence_in_s - (BootObserver::silence_s - 39)) < 0.001);
    const Observed disk = observer.silence(130, 7);  // it reads a disk
    CHECK((!disk.end && disk.wait_for_silence));
    CHECK(observer.silence(130, 7).end == BootEnd::dead_end);
    const Fault verdict = observer.verdict(BootEnd::dead_end, {});
    INFO(to_text(verdict));
    CHECK(verdict.code == ExitCode::not_bootable);
    CHECK(verdict.what == "tftp://10.0.0.1/nbp was started, and nothing was heard since");
    CHECK(verdict.why.find("iPXE ran it") == std::string::npos);
}

TEST_CASE("a menu that counts down lives, and its silence after that is no crash") {
    BootObserver observer{plain()};
    observer.started(0);
    observer.line(0.2, banner);
    see(observer, 1, udp(true, 2000, 69, be16(1) + std::string{"nbp\0octet\0", 10}));
    see(observer, 2, udp(false, 3000, 2000, be16(3) + be16(1) + std::string{"\1\2\3", 3}));
    for (int at = 10; at < 400; at += 30) {
        observer.partial(at, "Automatic boot in " + std::to_string(400 - at) + " seconds");
        const Observed seen = observer.silence(at + 20);
        CHECK((!seen.end && seen.wait_for_silence));
    }
    CHECK(observer.silence(600).end == BootEnd::dead_end);
    const Fault verdict = observer.verdict(BootEnd::dead_end, {});
    CHECK(verdict.code == ExitCode::boot_timeout);
    CHECK(verdict.what.find("nothing has been heard of the guest for") == 0);
}

// A loader came by TFTP, and asks for its own configuration.
void asks_for_a_menu(BootObserver& observer) {
    observer.started(0);
    observer.line(0.2, banner);
    see(observer, 1, udp(true, 2000, 69, be16(1) + std::string{"nbp\0octet\0", 10}));
    see(observer, 2, udp(false, 3000, 2000, be16(3) + be16(1) + std::string{"\1\2\3", 3}));
    see(observer, 3, udp(true, 2001, 69, be16(1) + std::string{"grub.cfg\0octet\0", 15}));
}

TEST_CASE("a loader that fetches more than itself lives: its silence is not looked at") {
    BootObserver observer{plain()};
    asks_for_a_menu(observer);
    const Observed seen = see(observer, 4, udp(false, 3001, 2001, be16(3) + be16(1) + "set timeout=45\n"));
    CHECK_FALSE(seen.wait_for_silence);
    CHECK_FALSE(observer.silence(400).end);
}

TEST_CASE("a loader that says that it failed asks for a wait, once, and its silence is the end") {
    BootObserver observer{plain()};
    asks_for_a_menu(observer);
    see(observer, 4, udp(false, 3001, 2001, be16(3) + be16(1) + "linux /k\n"));
    see(observer, 5, udp(true, 2002, 69, be16(1) + std::string{"k\0octet\0", 8}));
    see(observer, 5, udp(false, 3002, 2002, be16(5) + be16(1) + std::string{"no\0", 3}));
    CHECK(observer.line(6, "error: file `/k' not found.").wait_for_silence);
    CHECK_FALSE(observer.line(6, "Press any key to continue...").wait_for_silence);
    CHECK(observer.silence(127).end == BootEnd::dead_end);
    CHECK(observer.verdict(BootEnd::dead_end, {}).code == ExitCode::fetch_failed);
}

TEST_CASE("a request that a server took asks for a wait, once, and silence is the end") {
    BootObserver observer{plain()};
    observer.started(0);
    observer.line(0.2, banner);
    see(observer, 1, tcp(true, 5000, 80, 100, syn));
    see(observer, 1, tcp(false, 5000, 80, 1000, syn | ack));
    const std::string get = tcp(true, 5000, 80, 101, ack, "GET /k HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(see(observer, 2, get).wait_for_silence);
    CHECK_FALSE(see(observer, 3, get).wait_for_silence);
    CHECK(observer.silence(124).end == BootEnd::dead_end);
    CHECK(observer.verdict(BootEnd::dead_end, {}).what ==
          "cannot fetch http://h/k: the server never answered");
}

TEST_CASE("silence after something known is nothing") {
    BootObserver observer{plain()};
    observer.started(0);
    observer.line(0.2, banner);
    CHECK_FALSE(observer.silence(40).end);
}

}  // namespace
}  // namespace vml
