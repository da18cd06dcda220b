// Boots that really happened, one fault each, recorded on a bridge with dnsmasq and nginx: the same evidence
// gives the same story and the same verdict.
#include "tests/unit/bootwatch_evidence.h"

#include <string>
#include <vector>

#include "bootwatch/verdict.h"
#include "tests/unit/catch.h"

namespace vml::boot {
namespace {

Circumstances on_a_bridge(bool uefi = false) {
    Circumstances about;
    about.ipxe = true;
    about.uefi = uefi;
    about.network = Network::bridge;
    about.host_link = "br0";
    about.link_state = {"br0's other ports: up0"};
    return about;
}

std::vector<std::string> story(Timeline& timeline) {
    std::vector<std::string> lines;
    for (const Mark& mark : timeline.boot().marks) {
        lines.push_back(std::string{name_of(mark.stage)} + ": " + mark.detail);
    }
    return lines;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("a good boot, from the firmware to the operating system") {
    Timeline timeline = recorded("normal");
    const std::vector<std::string> lines = story(timeline);
    const auto has = [&](const std::string& line) {
        INFO(line);
        CHECK(std::any_of(lines.begin(), lines.end(), [&](const auto& l) { return contains(l, line); }));
    };
    has("firmware: SeaBIOS 1.16.2-debian-1.16.2-1");
    has("rom: iPXE 1.0.0+git-20190125.36a4c85-5.1 runs");
    has("link: up");
    has("discover: iPXE looks for a server");
    has("offer: 10.77.0.70 offered by 10.77.0.1, file boot.ipxe on 10.77.0.1");
    has("dhcp: address 10.77.0.70 from 10.77.0.1, file boot.ipxe on 10.77.0.1");
    has("fetch: tftp://10.77.0.1/boot.ipxe: 135 bytes in");
    has("script: boot.ipxe runs");
    has("http://10.77.0.1/vmlinuz: 14.2 MB in");
    has("(an x86 Linux kernel)");
    has("http://10.77.0.1/initrd.gz: 1.2 MB in");
    has("kernel: Linux version 6.1.0-56-cloud-amd64");
    has("os: Linux runs /init");
    const Boot& boot = timeline.boot();
    CHECK(boot.stage() == Stage::os);
    CHECK(boot.outcome == Outcome::none);
    REQUIRE(boot.fetches.size() == 3);
    CHECK(boot.fetches[1].content == Content::x86_kernel);
    CHECK(boot.fetches[1].received == boot.fetches[1].expected);
    CHECK(boot.fetches[2].content == Content::archive);
    REQUIRE(boot.dhcp.size() == 1);
    CHECK(boot.dhcp[0].client == Client::ipxe);
    CHECK(boot.dhcp[0].discovers >= 1);
    CHECK(boot.dhcp[0].ack->message.has(1));
    CHECK(boot.solicited_at);
    CHECK_FALSE(boot.router_at);
}

struct FaultRow {
    const char* name;
    ExitCode code;
    const char* what;
    const char* why;
    const char* hint;
};

TEST_CASE("each fault has its verdict") {
    const FaultRow row =
        GENERATE(FaultRow{"nodhcp", ExitCode::no_offer, "no DHCP server answered",
                          "sent 4 DISCOVERs over net0", "br0"},
                 FaultRow{"nofile", ExitCode::nothing_to_boot, "named nothing to boot",
                          "without a filename (option 67)", "dhcp-boot"},
                 FaultRow{"wrongfile", ExitCode::fetch_failed, "cannot fetch tftp://10.77.0.1/nosuch.ipxe",
                          "has no such file", "is the name right"},
                 FaultRow{"tftpclosed", ExitCode::fetch_failed, "cannot fetch tftp://10.77.0.1/boot.ipxe",
                          "nobody listens there", "start the tftp server on 10.77.0.1"},
                 FaultRow{"http404", ExitCode::fetch_failed, "cannot fetch http://10.77.0.1/nokernel",
                          "404 Not Found", "is the name right"},
                 FaultRow{"httprefused", ExitCode::fetch_failed, "cannot fetch http://10.77.0.1/",
                          "nobody listens there", "start the http server on 10.77.0.1"},
                 FaultRow{"dnsunknown", ExitCode::fetch_failed, "DNS: nosuch.example not found",
                          "no such name", "in the script"},
                 FaultRow{"noinitrd", ExitCode::guest_panicked, "the kernel found no root file system",
                          "VFS: Unable to mount root fs", "no initramfs was fetched"},
                 FaultRow{"uefi-nodhcp", ExitCode::no_offer, "no DHCP server answered", "iPXE sent", "br0"},
                 FaultRow{"uefi-garbage", ExitCode::not_bootable, "http://10.77.0.1/vmlinuz cannot be booted",
                          "it is something unknown", "#!ipxe"});
    INFO(row.name);
    Timeline timeline = recorded(row.name);
    const bool uefi = std::string{row.name}.starts_with("uefi");
    const Fault verdict = judge(timeline.boots(), on_a_bridge(uefi));
    INFO(to_text(verdict));
    CHECK(verdict.code == row.code);
    CHECK(contains(verdict.what, row.what));
    CHECK(contains(verdict.why, row.why));
    CHECK(contains(verdict.hint, row.hint));
}

TEST_CASE("a boot program that is none: BIOS iPXE runs anything, and nothing more is heard") {
    Timeline timeline = recorded("garbage");
    CHECK(timeline.silence_would_end_it());
    CHECK(judge(timeline.boots(), on_a_bridge()).code == ExitCode::boot_timeout);
    timeline.silence(160, timeline.boot().fetches.back().latest);
    const Fault verdict = judge(timeline.boots(), on_a_bridge());
    CHECK(verdict.code == ExitCode::not_bootable);
    CHECK(contains(verdict.what, "http://10.77.0.1/vmlinuz was started"));
    Timeline good = recorded("normal");
    CHECK_FALSE(good.silence_would_end_it());
}

TEST_CASE("without packets the console alone tells, and iPXE's numbers are explained") {
    const std::filesystem::path folder = std::filesystem::path{VML_TEST_DIR} / "unit/data/boots";
    Circumstances about = on_a_bridge();
    about.wire = false;
    const auto verdict_of = [&](const std::string& name) {
        Timeline timeline{{}};
        ConsoleText text;
        timeline.started(0);
        for (const std::string& line : text.feed(read_file(folder / (name + ".console")))) {
            timeline.line(1, line);
        }
        timeline.partial(2, text.partial());
        return judge(timeline.boots(), about);
    };
    CHECK(verdict_of("nodhcp").code == ExitCode::no_offer);
    CHECK(verdict_of("nofile").code == ExitCode::nothing_to_boot);
    CHECK(verdict_of("wrongfile").code == ExitCode::fetch_failed);
    CHECK(contains(verdict_of("wrongfile").why, "the TFTP server has no such file"));
    CHECK(verdict_of("noinitrd").code == ExitCode::guest_panicked);
}

TEST_CASE("a frame cut anywhere is no danger, and never makes another guest's packets ours") {
    const std::string pcap = read_file(std::filesystem::path{VML_TEST_DIR} / "unit/data/boots/normal.pcap");
    Timeline timeline{{{"net0", Mac{2, 2, 2, 2, 2, 2}}}};
    timeline.started(0);
    for (const Frame& frame : frames_of(pcap)) {
        for (std::size_t length = 0; length <= frame.bytes.size(); length += 7) {
            const std::string cut = frame.bytes.substr(0, length);
            if (const auto packet = decode_frame(bytes_of(cut))) {
                timeline.packet(1, 0, *packet);
            }
        }
    }
    CHECK(timeline.boot().dhcp.empty());
    CHECK(timeline.boot().fetches.empty());
}

}  // namespace
}  // namespace vml::boot
