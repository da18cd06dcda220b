// The link that rests while UEFI would try HTTP after PXE.
#include "launcher/watch/link_pause.h"
#include "tests/unit/catch.h"

namespace vml {
namespace {

using Switches = std::vector<LinkSwitch>;

const std::string pxe_failed =
    "BdsDxe: failed to load Boot0001 \"UEFI PXEv4 (MAC:52540012ABEF)\" from "
    "PciRoot(0x0)/Pci(0x2,0x0)/MAC(52540012ABEF,0x1)/IPv4(0.0.0.0,0x0,DHCP,0.0.0.0,0.0.0.0,0.0.0.0): Not "
    "Found";
const std::string http_failed =
    "BdsDxe: failed to load Boot0002 \"UEFI HTTPv4 (MAC:52540012ABEF)\" from x: Not Found";
const std::string disk_starts =
    "BdsDxe: starting Boot0003 \"UEFI Misc Device\" from PciRoot(0x0)/Pci(0x3,0x0)";

LinkPause two_nics() {
    return LinkPause{{{"net0", "52:54:00:12:ab:ef"}, {"net1", "52:54:00:12:ab:f0"}}};
}

TEST_CASE("the link of the NIC whose PXE failed rests until the next thing is tried") {
    LinkPause pause = two_nics();
    CHECK(pause.line("Start PXE over IPv4").empty());
    CHECK(pause.line(pxe_failed) == Switches{{"net0", false}});
    CHECK(pause.line("anything").empty());
    CHECK(pause.line(http_failed) == Switches{{"net0", true}});
    CHECK(pause.line(disk_starts).empty());
}

TEST_CASE("a guest that writes the firmware's lines without end switches its link no more, and has it up") {
    LinkPause pause = two_nics();
    unsigned switches = 0;
    bool up = true;
    for (unsigned i = 0; i < 100000; ++i) {
        for (const std::string& line : {pxe_failed, disk_starts, http_failed}) {
            for (const LinkSwitch& link : pause.line(line)) {
                ++switches;
                up = link.up;
            }
        }
    }
    CHECK(switches == 2 * LinkPause::most_pauses);
    CHECK(up);
}

TEST_CASE("a disk that starts, or a reset, brings the link back") {
    LinkPause pause = two_nics();
    CHECK(pause.line(pxe_failed).size() == 1);
    CHECK(pause.line(disk_starts) == Switches{{"net0", true}});
    CHECK(pause.line(pxe_failed).size() == 1);
    CHECK(pause.reset() == Switches{{"net0", true}});
    CHECK(pause.reset().empty());
}

TEST_CASE("the firmware's error is a moment earlier than its word that the boot option failed") {
    LinkPause pause = two_nics();
    CHECK(pause.line("PXE-E23: Client received TFTP error from server.").empty());  // whose?
    pause.line("BdsDxe: loading Boot0001 \"UEFI PXEv4 (MAC:52540012ABEF)\" from PciRoot(0x0)");
    CHECK(pause.line("PXE-E23: Client received TFTP error from server.") == Switches{{"net0", false}});
    CHECK(pause.line(pxe_failed).empty());  // it is down already
    CHECK(pause.line(http_failed) == Switches{{"net0", true}});
    pause.line("BdsDxe: loading Boot0002 \"UEFI HTTPv4 (MAC:52540012ABEF)\" from PciRoot(0x0)");
    CHECK(pause.line("PXE-E16: No valid offer received.").empty());
}

TEST_CASE("a system whose start the firmware did not tell has its link too") {
    for (const char* sign : {"[    0.000000] Linux version 6.1.0-56-cloud-amd64 (x@y) #1 SMP",
                             "EFI stub: Loaded initrd from LINUX_EFI_INITRD_MEDIA_GUID device path"}) {
        LinkPause pause = two_nics();
        CHECK(pause.line(pxe_failed).size() == 1);
        CHECK(pause.line(sign) == Switches{{"net0", true}});
    }
}

TEST_CASE("other NICs, and machines that are not asked for it, keep their links") {
    CHECK(LinkPause{}.line(pxe_failed).empty());
    LinkPause other{{{"net0", "52:54:00:00:00:01"}}};
    CHECK(other.line(pxe_failed).empty());
}

}  // namespace
}  // namespace vml
