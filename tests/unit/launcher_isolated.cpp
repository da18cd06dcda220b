// What is decided of a NIC on an isolated segment.
#include <string>
#include <vector>

#include "launcher/plan/plan_text.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::contains;
using test::made_up_host;
using test::Words;

Words on_segment(const Words& more) {
    Words flags{"--ipxe", "--network=isolated"};
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
}

TEST_CASE("two NICs of one VM are not on one segment, where it would wait for itself") {
    const auto faults =
        test::faults_of(on_segment({"--segment=lab", "--nic=mode=isolated,segment=lab"}), made_up_host());
    CHECK(test::text_of(faults) ==
          "NIC 1 and NIC 2 are both on the segment lab\n  hint: give each a segment of its own\n");
    for (const char* const other :
         {"--nic=mode=isolated,segment=lab2", "--nic=mode=isolated", "--nic=mode=nat"}) {
        CHECK(test::spec_of(on_segment({"--segment=lab", other}), made_up_host()).nics.size() == 2);
    }
    CHECK(test::spec_of(on_segment({"--nic=mode=isolated"}), made_up_host()).nics.size() == 2);
}

TEST_CASE("an MTU that IPv6 does without has no place on a segment") {
    const auto text = [](const Words& more) { return test::text_of(test::faults_of(more, made_up_host())); };
    CHECK(contains(text(on_segment({"--mtu=1279"})), "--mtu: an isolated segment needs at least 1280"));
    CHECK(contains(text({"--ipxe", "--nic=mode=isolated,mtu=68"}), "NIC 2: an isolated segment needs"));
    CHECK(test::spec_of(on_segment({"--mtu=1280"}), made_up_host()).nics.front().mtu == 1280U);
}

HostFacts with_program() {
    HostFacts facts = test::with_netboot(made_up_host());
    facts.boot_programs = {{"/srv/n/snponly.efi", "snponly.efi", true, false, true, "/srv/n/snponly.efi"}};
    return facts;
}

Words by_client(const std::string& client) {
    return {"--network=isolated", "--firmware=uefi", "--netboot-dir=/srv/n", "--pxe=" + client};
}

TEST_CASE("each of UEFI's clients is served on a segment") {
    for (const char* const served : {"v4", "v6", "http4", "http6"}) {
        CHECK(test::plan_of(by_client(served), with_program()).segments.front().program == "snponly.efi");
    }
}

TEST_CASE("a ProxyDHCP server names the file where it is asked for, on a segment and over IPv4") {
    Words flags = on_segment({"--proxydhcp", "--script=http://h/x.ipxe"});
    const Plan plan = test::plan_of(flags, made_up_host());
    CHECK(plan.segments.front().by_proxy);
    CHECK(contains(plan_as_text(plan), "  iPXE is named http://h/x.ipxe by a ProxyDHCP offer\n"));
    CHECK_FALSE(
        test::plan_of(on_segment({"--script=http://h/x.ipxe"}), made_up_host()).segments.front().by_proxy);
    flags = by_client("v6");
    flags.emplace_back("--proxydhcp");
    const Fault fault = test::faults_of(flags, with_program()).front();
    CHECK(fault.what == "--proxydhcp: ProxyDHCP exists for IPv4 only, and --pxe is v6");
    CHECK(fault.code == ExitCode::settings);
    std::string notes;
    for (const std::string& note : test::spec_of({"--ipxe", "--proxydhcp"}, made_up_host()).notes) {
        notes += note + "\n";
    }
    CHECK(contains(notes, "--proxydhcp has no effect without --network=isolated"));
}

TEST_CASE("undionly.kpxe is loaded before whatever is named, and it is said where there is none") {
    HostFacts facts = made_up_host();
    facts.offered.undionly = NamedOffer{"/usr/lib/ipxe/undionly.kpxe",
                                        {{PathFacts::Kind::file}, "/usr/lib/ipxe/undionly.kpxe", 0, 7}};
    const Words flags = on_segment({"--undionly", "--bootfile=http://h/x.ipxe"});
    const Netboot netboot = test::spec_of(flags, facts).nics.front().netboot;
    CHECK(netboot.bootfile == "undionly.ipxe");
    REQUIRE(netboot.files.size() == 2);
    CHECK(netboot.files.front().file == "/usr/lib/ipxe/undionly.kpxe");
    // Were it to return, the ROM's iPXE would run the bootfile, as if it had booted.
    CHECK(netboot.files.back().text.ends_with("\niseq ${net0/chip} undionly && chain http://h/x.ipxe\n"));
    const auto text = [](const Words& words, const HostFacts& host) {
        return test::text_of(test::faults_of(words, host));
    };
    CHECK(contains(text(flags, made_up_host()), "--undionly: there is no undionly.kpxe"));
    CHECK(contains(text(on_segment({"--undionly"}), facts),
                   "--undionly: undionly.kpxe would have nothing to boot"));
    Words by_uefi = by_client("v4");
    by_uefi.emplace_back("--undionly");
    CHECK(contains(text(by_uefi, with_program()), "undionly.kpxe is loaded by iPXE on BIOS"));
    facts.offered.undionly->file.http_error = EACCES;
    CHECK(contains(text(flags, facts), "/usr/lib/ipxe/undionly.kpxe cannot be served"));
}

TEST_CASE("the shell's commands make what is served on a segment, which nobody serves then") {
    HostFacts facts = test::with_netboot(made_up_host());
    facts.boot_programs = {{"/usr/lib/ipxe/ipxe.efi", "ipxe.efi", true, false, false, "/boot/ipxe.efi"}};
    const std::string shell = plan_as_shell(
        test::plan_of({"--network=isolated", "--firmware=uefi", "--netboot-dir=/srv/n", "--pxe=v4"}, facts));
    CHECK(contains(shell, "# by hand nobody serves the isolated segment: no DHCP, TFTP, HTTP or DNS\n"));
    CHECK(contains(shell, "# what vm-launch would serve is vm-served, which is made here\n"));
    CHECK(contains(shell, "ln -sfn /boot/ipxe.efi vm-served/ipxe.efi"));
}

TEST_CASE("the address of another VM of this name is told of where both may be") {
    HostFacts facts = made_up_host();
    facts.running_vms = {"web"};
    const auto notes = [&](const Words& more) {
        Words flags = on_segment({"--name=web"});
        flags.insert(flags.end(), more.begin(), more.end());
        std::string text;
        for (const std::string& note : test::spec_of(flags, facts).notes) {
            text += note + "\n";
        }
        return text;
    };
    CHECK(contains(notes({"--segment=lab"}), "a VM named web runs on this host already"));
    CHECK_FALSE(contains(notes({}), "runs on this host already"));
    CHECK_FALSE(contains(notes({"--segment=lab", "--mac=52:54:00:00:00:01"}), "runs on this host already"));
    // No other host is on it.
    CHECK_FALSE(contains(notes({"--segment=lab"}), "on other hosts too"));
}

TEST_CASE("the plan says which DHCP options are sent on a segment") {
    const Words flags =
        on_segment({"--script=http://h/x.ipxe", "--dhcp-option=209=menu.cfg", "--dhcp-option=175.83=u8:1"});
    const std::string text = plan_as_text(test::plan_of(flags, made_up_host()));
    CHECK(contains(text,
                   "  iPXE is named http://h/x.ipxe\n"
                   "  whoever asks over IPv4 is sent the DHCP option 209 (config-file)\n"
                   "  iPXE alone is sent the DHCP option 175.83\n"));
    CHECK_FALSE(contains(plan_as_text(test::plan_of(on_segment({}), made_up_host())), "DHCP option"));
}

}  // namespace
}  // namespace vml
