// What `vm-launch rom` prints.
#include <sstream>

#include "rom/describe.h"
#include "rom/runs_on.h"
#include "tests/unit/catch.h"
#include "tests/unit/rom_packer.h"

namespace {

using namespace vml::rom;
using namespace vml::rom::test;

OptionRom combined() {
    return read_option_rom(make(X86{.devices = {0x1041}, .last = false}) + make(EfiImage{}), "test.rom");
}

OptionRom combined_with(const Data& program, bool is_packed) {
    const Data efi = is_packed ? make(EfiImage{}, packed(program)) : make(EfiImage{}, program, false);
    return read_option_rom(make(X86{.last = false}) + efi, "test.rom");
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("where a combined ROM runs", "[rom]") {
    const std::vector<RunsOn> expected{
        {Firmware::bios,
         Arch::x86_64,
         0,
         IpxeRole::unknown,
         {{0x1AF4, 0x1041}},
         {"virtio"},
         {},
         {"It does not run on virtio when that shows 1af4:1000."}},
        {Firmware::uefi, Arch::x86_64, 1, IpxeRole::unknown, {{0x1AF4, 0x1041}}, {"virtio"}, {}, {}},
        {Firmware::uefi,
         Arch::aarch64,
         std::nullopt,
         IpxeRole::unknown,
         {},
         {},
         {"image 1 is x86 code for 1af4:1041: UEFI firmware starts EFI code only.",
          "image 2 is EFI code (x86-64) for 1af4:1041: the firmware needs AArch64 code."},
         {}},
    };
    CHECK(where_it_runs(combined()) == expected);
}

TEST_CASE("a ROM too large beside a VGA ROM says so", "[rom]") {
    const auto verdict =
        where_it_runs(read_option_rom(make(X86{.id = {0x8086, 0x100E}, .units = 255}), "t")).at(0);
    CHECK(verdict.nic_models == std::vector<std::string>{"e1000"});
    CHECK(verdict.notes ==
          std::vector<std::string>{"For 8086:100e it is too large beside a VGA card's ROM."});
}

TEST_CASE("the table, whole", "[rom]") {
    CHECK(to_table(combined(), "dir/a\x1B.rom") ==
          R"(dir/a?.rom
  3584 bytes, 2 images

#  offset  length  init  code        id         devices  class   entry       sum  last
1  0x0     2048    2048  x86         1af4:1041  1041     020000  BEV 0x0385  ok   no
2  0x800   1536    1536  EFI x86-64  1af4:1041  -        020000  driver      -    yes
image 1 calls itself "product" by "maker"

network boot on
  x86_64 BIOS   yes: image 1, on a device with the ID 1af4:1041 (virtio)
                     It does not run on virtio when that shows 1af4:1000.
  x86_64 UEFI   yes: image 2, with any ID; its driver is made for 1af4:1041 (virtio)
  aarch64 UEFI  no:  image 1 is x86 code for 1af4:1041: UEFI firmware starts EFI code only.
                     image 2 is EFI code (x86-64) for 1af4:1041: the firmware needs AArch64 code.

problems: none
)");
}

TEST_CASE("the table stays within 100 columns", "[rom]") {
    Data wide = make(X86{.id = {0xFFFE, 0xFFFE},
                         .devices = std::vector<std::uint16_t>(200, 0x1234),
                         .units = 255,
                         .last = false});
    put16(wide, pcir_at + 0x10, 60000);
    wide.resize(std::size_t{60000} * 512);
    put_text(wide, 0x80, std::string(15, 'm'));
    put_text(wide, 0x90, std::string(100, 'p'));
    Data efi = make(EfiImage{.machine = 0x5064, .compression = 1, .last = false});
    put16(efi, pcir_at + 0x10, 65535);
    std::istringstream lines{to_table(read_option_rom(wide + efi, "t"), "t")};
    for (std::string line; std::getline(lines, line);) {
        CAPTURE(line);
        CHECK(line.size() <= 100);
    }
}

TEST_CASE("a driver alone is no yes", "[rom]") {
    const OptionRom rom = combined_with(driver_program(), true);
    const RunsOn uefi = where_it_runs(rom).at(1);
    CHECK(uefi.role == IpxeRole::driver);
    CHECK(uefi.image_index == 1U);
    CHECK(uefi.notes == std::vector<std::string>{"image 2 is iPXE's network driver alone: the firmware's own "
                                                 "PXE boots on it, and iPXE never starts.",
                                                 "With --ipxe the EFI program of the package ipxe "
                                                 "(ipxe.efi) boots in its place."});
    CHECK(contains(to_table(rom, "t"), "x86_64 UEFI   driver: image 2, with any ID"));
    const auto json = to_json(rom, "t");
    CHECK(json.at("runs_on").at(1).at("role") == "driver");
    CHECK(json.at("images").at(1).at("efi").at("role") == "driver");
    CHECK(json.at("images").at(1).at("efi").at("unpacked_size") == driver_program().size());

    const OptionRom whole = combined_with(whole_program(), false);
    CHECK(where_it_runs(whole).at(1).role == IpxeRole::whole);
    CHECK(where_it_runs(whole).at(1).notes.empty());
    CHECK(contains(to_table(whole, "t"), "x86_64 UEFI   yes: image 2, with any ID"));
    CHECK(to_json(whole, "t").at("runs_on").at(1).at("role") == "ipxe");
    CHECK(to_json(whole, "t").at("images").at(1).at("efi").at("unpacked_size").is_null());
}

TEST_CASE("the JSON format, whole", "[rom]") {
    const auto expected = nlohmann::json::parse(R"({
      "format": "vm-launch-rom", "version": 1, "path": "a.rom", "file_size": 3584, "trailing_bytes": 0,
      "is_ipxe": false, "ipxe_version": null, "problems": [],
      "images": [
        {"offset": 0, "length": 2048, "init_size": 2048, "code_type": "x86", "code": 0, "id": "1af4:1041",
         "devices": ["1af4:1041"], "class": "020000", "pcir_revision": 3, "last": false, "max_runtime_size": 0,
         "truncated": false, "checksum_ok": true, "undi": null, "ipxe": null, "efi": null,
         "pnp": {"bev": 901, "bcv": 0, "manufacturer": "maker", "product": "product", "checksum_ok": true}},
        {"offset": 2048, "length": 1536, "init_size": 1536, "code_type": "efi", "code": 3, "id": "1af4:1041",
         "devices": [], "class": "020000", "pcir_revision": 3, "last": true, "max_runtime_size": 0,
         "truncated": false, "checksum_ok": null, "pnp": null, "undi": null, "ipxe": null,
         "efi": {"machine": 34404, "machine_name": "x86-64", "subsystem": 11, "compression": 0,
                 "unpacked_size": null, "image_offset": 56, "role": null}}],
      "runs_on": [
        {"firmware": "bios", "arch": "x86_64", "runs": true, "image": 0, "role": null, "ids": ["1af4:1041"], "nic_models": ["virtio"],
         "reasons": [], "notes": ["It does not run on virtio when that shows 1af4:1000."]},
        {"firmware": "uefi", "arch": "x86_64", "runs": true, "image": 1, "role": null, "ids": ["1af4:1041"], "nic_models": ["virtio"],
         "reasons": [], "notes": []},
        {"firmware": "uefi", "arch": "aarch64", "runs": false, "image": null, "role": null, "ids": [], "nic_models": [], "notes": [],
         "reasons": ["image 1 is x86 code for 1af4:1041: UEFI firmware starts EFI code only.",
                     "image 2 is EFI code (x86-64) for 1af4:1041: the firmware needs AArch64 code."]}]
    })");
    CHECK(to_json(combined(), "a.rom") == expected);
}

TEST_CASE("JSON holds an image without PCIR, and a path of any bytes", "[rom]") {
    Data isa = make(X86{});
    put16(isa, 0x18, 0);
    const auto json = to_json(read_option_rom(isa, "t"), "\xFF\xFE.rom");
    CHECK(json.at("images").at(0).at("id").is_null());
    CHECK(json.at("images").at(0).at("code_type") == "none");
    CHECK_NOTHROW(json.dump());
}
