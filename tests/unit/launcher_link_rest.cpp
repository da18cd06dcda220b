// The link that rests while UEFI would try HTTP after PXE.
#include "launcher/link_rest.h"
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

LinkRest two_nics() {
    return LinkRest{{{"net0", "52:54:00:12:ab:ef"}, {"net1", "52:54:00:12:ab:f0"}}};
}

TEST_CASE("the link of the NIC whose PXE failed rests until the next thing is tried") {
    LinkRest rest = two_nics();
    CHECK(rest.line("Start PXE over IPv4").empty());
    CHECK(rest.line(pxe_failed) == Switches{{"net0", false}});
    CHECK(rest.line("anything").empty());
    CHECK(rest.line(http_failed) == Switches{{"net0", true}});
    CHECK(rest.line(disk_starts).empty());
}

TEST_CASE("a disk that starts, or a reset, brings the link back") {
    LinkRest rest = two_nics();
    CHECK(rest.line(pxe_failed).size() == 1);
    CHECK(rest.line(disk_starts) == Switches{{"net0", true}});
    CHECK(rest.line(pxe_failed).size() == 1);
    CHECK(rest.reset() == Switches{{"net0", true}});
    CHECK(rest.reset().empty());
}

TEST_CASE("other NICs, and machines that are not asked for it, keep their links") {
    CHECK(LinkRest{}.line(pxe_failed).empty());
    LinkRest other{{{"net0", "52:54:00:00:00:01"}}};
    CHECK(other.line(pxe_failed).empty());
}

}  // namespace
}  // namespace vml
