#include "rom/catalogue.h"
#include "tests/unit/catch.h"

namespace {

using namespace vml::rom;
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("NIC models are found by the user's word and by QEMU's", "[rom]") {
    REQUIRE(find_nic_model("virtio") != nullptr);
    CHECK(*find_nic_model("virtio") ==
          NicModel{"virtio", "virtio-net-pci", {{0x1AF4, 0x1041}, {0x1AF4, 0x1000}}, "virtio"});
    CHECK(find_nic_model("virtio-net-pci") == find_nic_model("virtio"));
    CHECK(find_nic_model("e1000e")->ids == std::vector<PciId>{{0x8086, 0x10D3}});
    CHECK(find_nic_model("") == nullptr);
    CHECK(find_nic_model("VIRTIO") == nullptr);
    CHECK(nic_models().front().name == "virtio");
}

TEST_CASE("candidate files by firmware", "[rom]") {
    const NicModel& model = *find_nic_model("i82557b");
    CHECK(candidate_files(model, Firmware::bios) == Names{"pxe-eepro100.rom", "efi-eepro100.rom"});
    CHECK(candidate_files(model, Firmware::uefi) == Names{"efi-eepro100.rom"});
    CHECK(rom_folders().front() == "/usr/lib/ipxe/qemu");
}
