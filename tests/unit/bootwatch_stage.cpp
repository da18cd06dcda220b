// Lines and events → how far the boot got.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "bootwatch/console_text.h"
#include "bootwatch/stage.h"
#include "tests/unit/catch.h"

namespace vml::boot {
namespace {

std::optional<Sighting> seen(Stage stage, std::string detail) {
    return Sighting{stage, std::move(detail)};
}

TEST_CASE("firmware") {
    CHECK(sighting_in_line("SeaBIOS (version 1.16.2-debian-1.16.2-1)") ==
          seen(Stage::firmware, "SeaBIOS 1.16.2-debian-1.16.2-1"));
    CHECK(sighting_in_line("BdsDxe: loading Boot0001 \"UEFI PXEv4\"") ==
          seen(Stage::firmware, "UEFI: BdsDxe: loading Boot0001 \"UEFI PXEv4\""));
    CHECK(sighting_in_line(">>Start PXE over IPv4.") ==
          seen(Stage::firmware, "the firmware's own network boot, not iPXE: Start PXE over IPv4."));
    CHECK(sighting_in_line("SeaBIOS (version cut") == std::nullopt);
    CHECK(sighting_in_line("say >>Start PXE") == std::nullopt);
}

TEST_CASE("the option ROM: found, then running") {
    CHECK(sighting_in_line("iPXE (http://ipxe.org) 00:01.0 C000 PCI2.10 PnP PMM") ==
          seen(Stage::option_rom, "the firmware found iPXE's ROM"));
    CHECK(sighting_in_line("iPXE 1.21.1+ (g123) -- Open Source Network Boot Firmware -- http://ipxe.org") ==
          seen(Stage::option_rom, "iPXE 1.21.1+ (g123) runs"));
    CHECK(sighting_in_line("iPXE initialising devices...ok") == std::nullopt);
    CHECK(sighting_in_line("Press Ctrl-B to configure iPXE (PCI 00:01.0)...") == std::nullopt);
}

TEST_CASE("an address that iPXE got") {
    CHECK(sighting_in_line("net0: 10.0.2.15/255.255.255.0 gw 10.0.2.2") ==
          seen(Stage::dhcp, "address 10.0.2.15/255.255.255.0 gw 10.0.2.2"));
    CHECK(sighting_in_line("net12: 192.168.1.5/255.255.255.0") ==
          seen(Stage::dhcp, "address 192.168.1.5/255.255.255.0"));
    for (const char* line : {"net0: fe80::50e2:85ff:fed0:d167/64",
                             "net0: 52:e2:85:d0:d1:67 using virtio-net on 0000:00:01.0 (open)",
                             "net: 10.0.2.15/8", "net0 10.0.2.15/8", "net0:10.0.2.15/8", "xnet0: 10.0.2.15/8",
                             "net0", "net0: ", "network: 1.2.3.4/8"}) {
        CAPTURE(line);
        CHECK(sighting_in_line(line) == std::nullopt);
    }
}

TEST_CASE("what iPXE fetched") {
    CHECK(sighting_in_line("tftp://10.0.2.2/boot.ipxe... ok") ==
          seen(Stage::fetch, "tftp://10.0.2.2/boot.ipxe fetched"));
    CHECK(sighting_in_line("vmlinuz... ok") == seen(Stage::fetch, "vmlinuz fetched"));
    for (const char* line : {"Configuring (net0 52:e2:85:d0:d1:67)...... ok", "... ok", "vmlinuz... 87%",
                             "vmlinuz... Connection timed out (http://ipxe.org/4c0a6092)", "two words... ok",
                             "vmlinuz... ok?", "vmlinuz...ok"}) {
        CAPTURE(line);
        CHECK(sighting_in_line(line) == std::nullopt);
    }
}

TEST_CASE("Linux") {
    CHECK(sighting_in_line("[    0.000000] Linux version 6.1.0-56-cloud-amd64 (debian@lists) (gcc) #1") ==
          seen(Stage::kernel, "Linux version 6.1.0-56-cloud-amd64"));
    CHECK(sighting_in_line("Linux version 5.4") == seen(Stage::kernel, "Linux version 5.4"));
    CHECK(sighting_in_line("[    3.886513] Run /init as init process") ==
          seen(Stage::os, "Linux runs /init"));
    CHECK(sighting_in_line("Run it") == std::nullopt);
    CHECK(sighting_in_line("[    0.000000] Command line: initrd=initrd.gz") == std::nullopt);
}

TEST_CASE("lines that show nothing") {
    for (const char* line :
         {"", " ", "Booting from ROM...", "login:", "Filename: boot.ipxe", "Next server: 10.0.2.2"}) {
        CAPTURE(line);
        CHECK(sighting_in_line(line) == std::nullopt);
    }
}

TEST_CASE("QEMU's events") {
    CHECK(sighting_in_event("NIC_RX_FILTER_CHANGED") == seen(Stage::os, "the guest's own NIC driver is up"));
    CHECK(sighting_in_event("RTC_CHANGE") == seen(Stage::firmware, "UEFI set the clock"));
    for (const char* event : {"", "RESET", "RESUME", "SHUTDOWN", "nic_rx_filter_changed"}) {
        CHECK(sighting_in_event(event) == std::nullopt);
    }
}

TEST_CASE("stages have names, each its own") {
    CHECK(name_of(Stage::machine) == "machine");
    CHECK(name_of(Stage::firmware) == "firmware");
    CHECK(name_of(Stage::option_rom) == "option ROM");
    CHECK(name_of(Stage::dhcp) == "DHCP");
    CHECK(name_of(Stage::fetch) == "fetch");
    CHECK(name_of(Stage::kernel) == "kernel");
    CHECK(name_of(Stage::os) == "operating system");
}

constexpr Stage all_stages[] = {Stage::machine, Stage::firmware, Stage::option_rom, Stage::dhcp,
                                Stage::fetch,   Stage::kernel,   Stage::os};

TEST_CASE("progress never goes back within a boot") {
    for (const Stage now : all_stages) {
        for (const Stage next : all_stages) {
            Progress progress;
            CHECK(progress.see({now, "a"}));
            const auto news = progress.see({next, "b"});
            CHECK(news.has_value() == (next >= now));
            CHECK(progress.stage() == std::max(now, next));
            CHECK((!news || *news == Sighting{next, "b"}));
        }
    }
}

TEST_CASE("the same sighting is news once, another of the same stage is news again") {
    Progress progress;
    CHECK(progress.see({Stage::fetch, "a fetched"}));
    CHECK_FALSE(progress.see({Stage::fetch, "a fetched"}));
    CHECK(progress.see({Stage::fetch, "b fetched"}));
    CHECK_FALSE(progress.see({Stage::dhcp, "late"}));
    CHECK(progress.stage() == Stage::fetch);
}

TEST_CASE("a reset begins a new boot") {
    Progress progress;
    CHECK_FALSE(progress.stage());
    CHECK(progress.see({Stage::os, "x"}));
    progress.reset();
    CHECK_FALSE(progress.stage());
    CHECK_FALSE(progress.os_runs());
    CHECK(progress.see({Stage::firmware, "y"}));
    CHECK(progress.stage() == Stage::firmware);
}

TEST_CASE("after a reset the same stage with the same detail is news again") {
    for (const Stage stage : all_stages) {
        Progress progress;
        CHECK(progress.see({stage, "x"}));
        progress.reset();
        CHECK(progress.see({stage, "x"}));
    }
}

TEST_CASE("an operating system runs from the kernel on") {
    for (const Stage stage : all_stages) {
        Progress progress;
        CHECK_FALSE(progress.os_runs());
        CHECK(progress.see({stage, ""}));
        CHECK(progress.os_runs() == (stage >= Stage::kernel));
    }
}

TEST_CASE("a recorded boot goes through every stage that a console can show, in order") {
    const auto file = std::filesystem::path{VML_TEST_DIR} / "unit/data/console-ipxe-linux.bin";
    std::ifstream stream{file, std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{stream}, {}};
    ConsoleText text;
    Progress progress;
    std::vector<std::string> story;
    for (const std::string& line : text.feed(bytes)) {
        if (const auto sighting = sighting_in_line(line)) {
            if (const auto news = progress.see(*sighting)) {
                story.push_back(std::string{name_of(news->stage)} + ": " + news->detail);
            }
        }
    }
    CHECK(story ==
          std::vector<std::string>{
              "firmware: SeaBIOS 1.16.2-debian-1.16.2-1", "option ROM: the firmware found iPXE's ROM",
              "option ROM: iPXE 1.0.0+git-20190125.36a4c85-5.1 runs",
              "DHCP: address 10.0.2.15/255.255.255.0 gw 10.0.2.2", "fetch: tftp://10.0.2.2/boot.ipxe fetched",
              "fetch: vmlinuz fetched", "fetch: initrd.gz fetched",
              "kernel: Linux version 6.1.0-56-cloud-amd64", "operating system: Linux runs /init"});
}

}  // namespace
}  // namespace vml::boot
