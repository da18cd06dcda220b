// What becomes of vm-launch's own offer beside the network's.
#include <algorithm>
#include <string>
#include <vector>

#include "bootwatch/hints.h"
#include "bootwatch/own_offer.h"
#include "tests/unit/bootwatch_machine.h"

namespace vml::boot {
namespace {

using namespace test;

const std::string proxy = option(60, "PXEClient");
constexpr const char* our_url = "http://10.0.0.9:8080/boot.ipxe";

// iPXE that was offered something, and what the network says to it.
class Offered : public Machine {
  public:
    Offered() { discovers(); }
    Offered& offer_own() {
        auto packet = decode_frame(bytes_of(frame_));
        REQUIRE(packet);
        packet->ours = true;
        timeline.packet(at += 0.1, 0, *packet);
        return *this;
    }
    Offered& gets_address(const std::string& options) {
        see(dhcp(false, 2, options, guest_ip)).see(dhcp(true, 3, as_ipxe));
        see(dhcp(false, 5, options, guest_ip));
        return *this;
    }
    Offered& other_proxy() {
        constexpr std::size_t source_address = 14 + 12;
        see(dhcp(false, 2, proxy + option(67, "pxe.0")).replace(source_address, 4, be32(server_ip + 6)));
        return *this;
    }
    [[nodiscard]] DhcpTalk talk() { return timeline.boot().dhcp.back(); }
    // A line of the log.
    [[nodiscard]] bool told(const std::string& words) {
        const auto& marks = timeline.boot().marks;
        return std::any_of(marks.begin(), marks.end(),
                           [&](const Mark& mark) { return contains(mark.detail, words); });
    }

  private:
    std::string frame_ = dhcp(false, 2, proxy + option(67, our_url));
};

TEST_CASE("it is no sign of the network") {
    Offered machine;
    machine.offer_own().offer_own();
    REQUIRE(machine.talk().own);
    CHECK(machine.talk().own->message.bootfile == our_url);
    CHECK(machine.talk().offers.empty());
    CHECK(machine.timeline.boot().other_frames == 0);
    CHECK_FALSE(machine.timeline.boot().reached(Stage::offer));
    CHECK(machine.told("vm-launch's own, to this guest alone, file http://10.0.0.9:8080/boot.ipxe"));
    machine.stops();
    machine.gets(ExitCode::no_offer, "no DHCP server answered", "nothing at all came in");
}

TEST_CASE("where nobody else names a file there is nothing to tell") {
    Offered machine;
    machine.offer_own().gets_address("");
    CHECK(is_own_offer_taken(machine.talk()));
    CHECK(fate_text(machine.talk()).empty());
    machine.stops();
    machine.gets(ExitCode::fetch_failed, "nothing was fetched", std::string{"DHCP named "} + our_url);
}

TEST_CASE("it is taken before the network's own file, and before another ProxyDHCP server's") {
    Offered machine;
    machine.offer_own().other_proxy().gets_address(option(67, "pxelinux.0"));
    CHECK(is_own_offer_taken(machine.talk()));
    CHECK(machine.told("before the network's own (pxelinux.0, named by 10.0.0.1)"));
    CHECK(machine.told("and before that of the ProxyDHCP server 10.0.0.7"));
}

TEST_CASE("a network that forbids ProxyDHCP is told of, be it in the verdict or beside a boot that goes on") {
    const std::string forbidden = option(175, option(176, "\1"));
    Offered machine;
    machine.offer_own().gets_address(forbidden);
    CHECK_FALSE(is_own_offer_taken(machine.talk()));
    CHECK(machine.told("iPXE ignores vm-launch's offer: the DHCP server 10.0.0.1"));
    machine.stops();
    machine.gets(ExitCode::nothing_to_boot, "DHCP", "option 175.176", "neither option 175.176");
    Offered other;
    other.offer_own().gets_address(forbidden + option(67, "pxelinux.0"));
    const std::vector<std::string> hints = network_hints(other.timeline.boot(), false);
    REQUIRE(hints.size() == 1);
    CHECK(contains(hints.front(), "iPXE ignores vm-launch's offer"));
}

TEST_CASE("a file of the network's that has the highest priority too") {
    const auto with_priority = [](char priority) {
        return option(175, option(1, std::string(1, priority))) + option(67, "pxelinux.0");
    };
    Offered machine;
    machine.offer_own().gets_address(with_priority('\x7f'));
    CHECK_FALSE(is_own_offer_taken(machine.talk()));
    CHECK(machine.told("iPXE may leave vm-launch's file: 10.0.0.1 gives pxelinux.0 the highest priority"));
    Offered lower;
    lower.offer_own().gets_address(with_priority('\x7e'));
    CHECK(is_own_offer_taken(lower.talk()));
    Offered negative;
    negative.offer_own().gets_address(with_priority('\xff'));
    CHECK(negative.talk().ack->message.ipxe_priority == -1);
    CHECK(is_own_offer_taken(negative.talk()));
}

// iPXE goes on as soon as it has an address and a ProxyDHCP server's offer.
TEST_CASE("another ProxyDHCP server's offer came first") {
    Offered late;
    late.other_proxy().see(dhcp(false, 2, "", guest_ip));
    late.offer_own();
    CHECK(contains(fate_text(late.talk()), "that of the ProxyDHCP server 10.0.0.7 came before it"));
    CHECK_FALSE(is_own_offer_taken(late.talk()));
    Offered in_time;  // of two ProxyDHCP servers the priority decides
    in_time.other_proxy().offer_own().gets_address("");
    CHECK(is_own_offer_taken(in_time.talk()));
    Offered asks;
    asks.offer_own().gets_address("");
    asks.see(udp(true, 68, 4011, dhcp(true, 3, as_ipxe).substr(14 + 20 + 8)));
    CHECK_FALSE(is_own_offer_taken(asks.talk()));
    asks.see(udp(false, 4011, 68, dhcp(false, 5, proxy, guest_ip).substr(14 + 20 + 8)));
    CHECK(asks.told("that of the ProxyDHCP server 10.0.0.1 came before it"));
    CHECK(contains(fate_text(asks.talk()), "that of the ProxyDHCP server 10.0.0.1 came before it"));
}

// A DHCP server that calls itself a PXE server, whose offer is read so much later than vm-launch's was sent.
class AtOnce : public Offered {
  public:
    explicit AtOnce(double later) {
        offer_own();
        const std::string frame =
            dhcp(false, 2, proxy + option(43, "\xE0\x01\x41\xFF"), guest_ip, "theirs.efi");
        const auto packet = decode_frame(bytes_of(frame));
        REQUIRE(packet);
        timeline.packet(at += later, 0, *packet);
        see(dhcp(true, 3, as_ipxe)).see(dhcp(false, 5, proxy, guest_ip, "theirs.efi"));
    }
};

// What lay in the packet socket already may have come to the guest before.
TEST_CASE("an offer of the same moment leaves it open, and what iPXE asks for settles it") {
    AtOnce theirs{0.001};
    CHECK_FALSE(is_own_offer_taken(theirs.talk()));
    CHECK(
        theirs.told("iPXE may leave vm-launch's file: the offer came at the same time as that of the DHCP "
                    "server 10.0.0.1, and the first one counts"));
    theirs.no_tftp("theirs.efi", 1, "no");
    CHECK_FALSE(is_own_offer_taken(theirs.talk()));
    CHECK(theirs.told("iPXE leaves vm-launch's file for tftp://10.0.0.1/theirs.efi"));

    AtOnce ours{0.001};
    ours.connects(8080).asks(8080, "/boot.ipxe");
    CHECK_FALSE(is_own_offer_taken(ours.talk()));  // of another server than the one that is named
    AtOnce later{0.02};
    CHECK(is_own_offer_taken(later.talk()));
    CHECK(later.told("iPXE takes vm-launch's file before the network's own (theirs.efi"));
    later.tftp("theirs.efi", "x");  // which shows better than any time
    CHECK_FALSE(is_own_offer_taken(later.talk()));
    CHECK(later.told("iPXE leaves vm-launch's file for tftp://10.0.0.1/theirs.efi"));
}

TEST_CASE("iPXE that asks for vm-launch's file has taken its offer") {
    AtOnce machine{0.001};
    const auto fetch = [](const std::string& url, double began) {
        Fetch made;
        made.url = url;
        made.began = began;
        return made;
    };
    DhcpTalk talk = machine.talk();
    CHECK(note_choice(talk, fetch(our_url, machine.at)));
    CHECK_FALSE(note_choice(talk, fetch(our_url, machine.at)));
    CHECK(is_own_offer_taken(talk));
    CHECK(contains(fate_text(talk), "iPXE takes vm-launch's file before the network's own"));
    DhcpTalk other = machine.talk();
    CHECK_FALSE(note_choice(other, fetch(our_url, other.began - 1)));
    CHECK_FALSE(note_choice(other, fetch("tftp://10.0.0.1/x", machine.at)));
    CHECK_FALSE(note_choice(other, fetch("tftp://10.0.0.2/theirs.efi", machine.at)));
}

// UEFI's PXE client, and what it is offered.
class FirmwareOffered : public Machine {
  public:
    explicit FirmwareOffered(const std::string& kind = "PXEClient", const std::string& proxys = {})
        : kind_{option(60, kind)} {
        see(dhcp(true, 1, kind_));
        if (!proxys.empty()) {
            other_proxy(proxys);
        }
        constexpr std::size_t siaddr = 14 + 20 + 8 + 20;
        own(dhcp(false, 2, kind_ + option(67, "snponly.efi")).replace(siaddr, 4, be32(server_ip)));
    }
    void own(const std::string& frame) {
        auto packet = decode_frame(bytes_of(frame));
        REQUIRE(packet);
        packet->ours = true;
        timeline.packet(at += 0.1, 0, *packet);
    }
    FirmwareOffered& gets_address(const std::string& options) {
        see(dhcp(false, 2, options, guest_ip)).see(dhcp(true, 3, kind_));
        see(dhcp(false, 5, options, guest_ip));
        return *this;
    }
    // It asks a boot server, and vm-launch answers.
    FirmwareOffered& is_answered() {
        see(udp(true, 4011, 4011, dhcp(true, 3, kind_).substr(14 + 20 + 8)));
        own(udp(false, 4011, 4011, dhcp(false, 5, kind_ + option(67, "snponly.efi")).substr(14 + 20 + 8)));
        return *this;
    }
    FirmwareOffered& other_proxy(const std::string& options) {
        constexpr std::size_t source_address = 14 + 12;
        see(dhcp(false, 2, kind_ + options).replace(source_address, 4, be32(server_ip + 6)));
        return *this;
    }
    [[nodiscard]] DhcpTalk talk() { return timeline.boot().dhcp.back(); }
    [[nodiscard]] bool told(const std::string& words) {
        const auto& marks = timeline.boot().marks;
        return std::any_of(marks.begin(), marks.end(),
                           [&](const Mark& mark) { return contains(mark.detail, words); });
    }

  private:
    std::string kind_;
};

TEST_CASE("a file that came with the address loses at the firmware") {
    FirmwareOffered machine;
    machine.gets_address(option(67, "pxelinux.0"));
    CHECK(is_own_offer_taken(machine.talk()));
    CHECK(fate_text(machine.talk()) ==
          "the firmware takes vm-launch's file before the network's own (pxelinux.0, named by 10.0.0.1)");
}

TEST_CASE("a DHCP server that is a boot server itself, and says all in its offer, wins") {
    FirmwareOffered machine;
    machine.gets_address(proxy + option(43, "\x06\x01\x08\xFF") + option(67, "pxelinux.0"));
    CHECK_FALSE(is_own_offer_taken(machine.talk()));
    CHECK(contains(
        fate_text(machine.talk()),
        "the firmware ignores vm-launch's offer: the DHCP server 10.0.0.1 answers it as a PXEClient server"));
    FirmwareOffered by_http{"HTTPClient"};
    by_http.gets_address(option(60, "HTTPClient") + option(67, "http://10.0.0.1/a.efi"));
    CHECK_FALSE(is_own_offer_taken(by_http.talk()));
}

// It is vm-launch that answers there, whomever the firmware asks.
TEST_CASE("a boot server that is to be asked loses, and its silence is none") {
    FirmwareOffered machine;
    machine.gets_address(proxy);
    CHECK(
        fate_text(machine.talk()) ==
        "the firmware takes vm-launch's file before that of the DHCP server 10.0.0.1, a boot server itself");
    machine.see(udp(true, 4011, 4011, dhcp(true, 3, proxy).substr(14 + 20 + 8)));
    machine.own(
        udp(false, 4011, 4011, dhcp(false, 5, proxy + option(67, "snponly.efi")).substr(14 + 20 + 8)));
    CHECK(machine.talk().own_answered);
    CHECK(is_own_offer_taken(machine.talk()));
    machine.stops();
    machine.gets(ExitCode::fetch_failed, "nothing was fetched", "DHCP named snponly.efi");
}

// dnsmasq's dhcp-option-force=43,e0:01:41:ff: without PXE's sub-options it is asked at port 4011 (edk2's
// DhcpBinl), which vm-launch answers.
TEST_CASE("an option 43 of another kind makes no boot server of a DHCP server") {
    const std::string theirs = proxy + option(67, "theirs.efi");
    FirmwareOffered machine;
    machine.gets_address(theirs + option(43, "\xE0\x01\x41\xFF"));
    CHECK(is_own_offer_taken(machine.talk()));
    CHECK(machine.told("the firmware takes vm-launch's file before the network's own (theirs.efi"));
    machine.is_answered().tftp("snponly.efi", "x");
    CHECK(is_own_offer_taken(machine.talk()));
    CHECK_FALSE(machine.told("ignores vm-launch's offer"));
    FirmwareOffered with_prompt;
    with_prompt.gets_address(theirs + option(43, std::string{"\x0A\x01\x05\xFF"}));
    CHECK_FALSE(is_own_offer_taken(with_prompt.talk()));
}

// edk2 goes by the menu of a server that gives the address, and takes an answer of a listed server alone
// where that says so.
TEST_CASE("a PXE menu that comes with the address") {
    const auto control = [](char value) { return std::string{"\x06\x01", 2} + value + "\xFF"; };
    FirmwareOffered free;
    free.gets_address(proxy + option(43, control(3)));
    CHECK_FALSE(is_own_offer_taken(free.talk()));
    CHECK(
        free.told("answers it as a PXEClient server itself (option 60), and tells it how to find a boot "
                  "server (option 43)"));
    free.is_answered();
    CHECK(is_own_offer_taken(free.talk()));
    FirmwareOffered listed;
    listed.gets_address(proxy + option(43, control(7)));
    listed.is_answered();
    CHECK_FALSE(is_own_offer_taken(listed.talk()));
    CHECK(contains(std::string{own_offer_hint(listed.talk())}, "no option 60"));
    FirmwareOffered refused;
    refused.gets_address(proxy + option(43, control(7)) + option(67, "theirs.efi")).is_answered();
    refused.stops();
    refused.gets(ExitCode::fetch_failed, "nothing was fetched",
                 "lets it take none but a listed boot server's answer (option 43)", "no option 60");
    listed.tftp("snponly.efi", "x");  // it was asked for, whatever was told
    CHECK(is_own_offer_taken(listed.talk()));
}

// edk2 keeps the first ProxyDHCP offer that has discovery control (PxeBcCacheDhcp4Offer).
TEST_CASE("another ProxyDHCP server's offer to the firmware came first") {
    const std::string complete = option(43, "\x06\x01\x08\xFF") + option(67, "theirs.efi");
    FirmwareOffered first{"PXEClient", complete};
    first.gets_address("");
    CHECK(first.told(
        "the firmware ignores vm-launch's offer: that of the ProxyDHCP server 10.0.0.7 came before"));
    CHECK_FALSE(is_own_offer_taken(first.talk()));
    first.is_answered();
    CHECK(first.told("the firmware takes vm-launch's file before that of the ProxyDHCP server 10.0.0.7"));
    FirmwareOffered asked{"PXEClient", option(67, "theirs.efi")};
    asked.gets_address("");
    CHECK(is_own_offer_taken(asked.talk()));
    FirmwareOffered later;
    later.other_proxy(complete).gets_address("");
    CHECK(is_own_offer_taken(later.talk()));
    FirmwareOffered by_http{"HTTPClient", option(67, "http://10.0.0.7/a.efi")};
    by_http.gets_address("");
    CHECK_FALSE(is_own_offer_taken(by_http.talk()));
}

// The firmware fetched iPXE from vm-launch, and that looks for an address.
class Loaded : public FirmwareOffered {
  public:
    Loaded() {
        about.uefi = true;
        about.ipxe = false;
        about.serves = "/srv/n";
        gets_address("").tftp("snponly.efi", efi_program());
        no_tftp("autoexec.ipxe", 1, "no").says("autoexec.ipxe... Not found (https://ipxe.org/2d12618e)");
        discovers();
    }
    Loaded& ipxe_gets_address(const std::string& options) {
        see(dhcp(false, 2, options, guest_ip)).see(dhcp(true, 3, as_ipxe));
        see(dhcp(false, 5, options, guest_ip));
        return *this;
    }
    Loaded& fails() {
        says("BdsDxe: failed to start Boot0001 \"UEFI PXEv4 (MAC:525400000001)\" from x: Not Found");
        return *this;
    }
    static std::string efi_program() {
        std::string head(0x100, 'x');
        head.replace(0, 2, "MZ").replace(0x3C, 4, std::string{"\x80\0\0\0", 4});
        return head.replace(0x80, 6, std::string{"PE\0\0\x64\x86", 6});
    }
};

TEST_CASE("iPXE that ran is not blamed for a file that it did not get") {
    Loaded told;
    told.ipxe_gets_address(option(67, "theirs.efi")).no_tftp("theirs.efi", 1, "no");
    told.says("tftp://10.0.0.1/theirs.efi... Not found (https://ipxe.org/2d12618e)");
    told.fails();
    told.gets(ExitCode::fetch_failed, "cannot fetch tftp://10.0.0.1/theirs.efi", "no");
    Loaded silent;  // the console is not seen
    silent.ipxe_gets_address(option(67, "theirs.efi")).no_tftp("theirs.efi", 1, "no");
    silent.fails();
    silent.gets(ExitCode::fetch_failed, "cannot fetch tftp://10.0.0.1/theirs.efi", "no");
    Loaded by_http;
    by_http.ipxe_gets_address(option(67, "http://10.0.0.1/theirs.ipxe")).no_http("/theirs.ipxe");
    by_http.fails();
    by_http.gets(ExitCode::fetch_failed, "/theirs.ipxe", "404");
}

TEST_CASE("iPXE that ran is not blamed for a program that came after it, nor for nothing at all") {
    Loaded other;
    other.ipxe_gets_address(option(67, "theirs.efi")).tftp("theirs.efi", Loaded::efi_program());
    other.fails();
    other.gets(ExitCode::not_bootable, "tftp://10.0.0.1/theirs.efi did not boot",
               "an EFI program for x86_64");
    Loaded text;
    text.ipxe_gets_address(option(67, "boot.ipxe")).tftp("boot.ipxe", "echo hello\n");
    text.says("Could not boot: Exec format error (https://ipxe.org/2e008081)");
    text.fails();
    text.gets(ExitCode::not_bootable, "tftp://10.0.0.1/boot.ipxe", "its first line is \"echo hello\"");
    Loaded nothing;
    nothing.ipxe_gets_address(option(67, "https://h/x"));
    nothing.says("https://h/x... Operation not supported (https://ipxe.org/3c092003)");
    nothing.fails();
    nothing.gets(ExitCode::fetch_failed, "no protocol to fetch https://h/x", "not supported");
    // A loader that the firmware has started, and that is no iPXE.
    Loaded before;
    before.fails();
    CHECK_FALSE(contains(before.verdict().what, "snponly.efi"));
}

TEST_CASE("a loader of the firmware's may look for a name that is not there") {
    FirmwareOffered machine;
    machine.about.uefi = true;
    machine.gets_address("").tftp("snponly.efi", Loaded::efi_program()).no_tftp("grub.cfg", 1, "no");
    machine.says("BdsDxe: failed to start Boot0001 \"UEFI PXEv4 (MAC:525400000001)\" from x: Not Found");
    machine.gets(ExitCode::not_bootable, "snponly.efi did not boot", "an EFI program for x86_64");
}

// Once the firmware was offered a file of vm-launch's.
TEST_CASE("TFTP of the host's own is not reached") {
    const auto refused = [](bool by_pxe) {
        Loaded machine;
        if (!by_pxe) {
            machine.about.serves.reset();
        }
        machine.ipxe_gets_address(option(67, "theirs.efi")).no_tftp("theirs.efi", 1, "no");
        machine.fails();
        return machine.verdict().hint;
    };
    CHECK(
        refused(true) ==
        "TFTP at 10.0.0.1 is vm-launch's for this guest, and gives what is in /srv/n; a server of the host's "
        "own there is not reached");
    CHECK(contains(refused(false), "in 10.0.0.1's folder"));
}

TEST_CASE("a name in the URL, and no DNS server") {
    const auto named = [](const std::string& url, const std::string& options, bool stops = true) {
        Machine machine;
        machine.has_address(option(67, url) + options);
        if (stops) {
            machine.stops();
        }
        return machine.verdict();
    };
    const Fault fault = named("http://boot.example.org:8080/x.ipxe", "");
    CHECK(fault.code == ExitCode::fetch_failed);
    CHECK(contains(fault.what, "nobody can be asked for the name in http://boot.example.org:8080/x.ipxe"));
    CHECK(contains(fault.why, "boot.example.org is to be looked up, and 10.0.0.1 names no DNS server"));
    for (const std::string url :
         {"http://10.0.0.9/x", "http://[fd00::1]/x", "http://10.0.0.9:80/x", "boot.ipxe"}) {
        CHECK(contains(named(url, "").what, "nothing was fetched"));
    }
    CHECK(contains(named("http://h/x", option(6, be32(server_ip))).what, "nothing was fetched"));
    CHECK_FALSE(contains(named("http://h/x", "", false).what, "nobody can be asked"));
    CHECK_FALSE(contains(named("http://${next-server}/x", "").what, "nobody can be asked"));
    CHECK_FALSE(
        contains(named("pxelinux.0", option(17, "nfs://nas.example/root")).what, "nobody can be asked"));
    Machine looks;  // for a machine whose address it knows
    looks.has_address(option(67, "http://h/x")).see(arp_request(server_ip)).stops();
    CHECK_FALSE(contains(looks.verdict().what, "nobody can be asked"));
}

// edk2's HTTP client takes no offer there.
TEST_CASE("a name in vm-launch's own URL, and no DNS server") {
    Machine machine{false};
    machine.about.uefi = true;
    const std::string kind = option(60, "HTTPClient:Arch:00016");
    machine.see(dhcp(true, 1, kind));
    auto packet =
        decode_frame(bytes_of(dhcp(false, 2, option(60, "HTTPClient") + option(67, "http://h/x.efi"))));
    REQUIRE(packet);
    packet->ours = true;
    machine.timeline.packet(machine.at += 0.1, 0, *packet);
    machine.see(dhcp(false, 2, "", guest_ip));
    CHECK_FALSE(contains(machine.verdict().what, "nothing to boot"));  // its wait is not over
    machine.stops();
    machine.gets(ExitCode::fetch_failed, "the name in http://h/x.efi", "and no DHCP offer names a DNS server",
                 "option 6");
}

}  // namespace
}  // namespace vml::boot
