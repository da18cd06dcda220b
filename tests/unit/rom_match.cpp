// match: SeaBIOS's and edk2's rules, on hand-made ROMs; the names S1 to S10 and O1 to O5 are those of the
// boots observed.
#include "rom/match.h"
#include "tests/unit/catch.h"
#include "tests/unit/rom_packer.h"

namespace {

using namespace vml::rom;
using namespace vml::rom::test;

constexpr PciId modern{0x1AF4, 0x1041};
constexpr PciId transitional{0x1AF4, 0x1000};
constexpr PciId e1000{0x8086, 0x100E};

std::variant<Fit, Misfit> try_match(const Data& data, const Target& target) {
    return match(read_option_rom(data, "test.rom"), target);
}

std::variant<Fit, Misfit> bios(const Data& data, std::vector<PciId> ids, bool vga_present = false) {
    return try_match(data, {Firmware::bios, Arch::x86_64, std::move(ids), vga_present});
}

std::variant<Fit, Misfit> uefi(const Data& data, std::vector<PciId> ids, Arch arch = Arch::x86_64) {
    return try_match(data, {Firmware::uefi, arch, std::move(ids), false});
}

std::variant<Fit, Misfit> no(std::vector<std::string> reasons) {
    return Misfit{std::move(reasons)};
}

std::variant<Fit, Misfit> yes(std::size_t index, PciId id, std::vector<std::string> warnings = {}) {
    return Fit{index, id, std::move(warnings)};
}

Data with_good_sum(Data data, std::size_t count) {
    fix_sum(data, 0, count, 6);
    return data;
}

}  // namespace

TEST_CASE("S1: SeaBIOS runs no ROM of another ID", "[rom]") {
    CHECK(bios(make(X86{}), {transitional}) == no({"image 1 is x86 code for 1af4:1041: SeaBIOS compares this "
                                                   "ID with the device's own, 1af4:1000."}));
    CHECK(bios(make(X86{}), {e1000, transitional}) ==
          no({"image 1 is x86 code for 1af4:1041: SeaBIOS compares this ID with the device's own, 8086:100e "
              "or 1af4:1000."}));
}

TEST_CASE("S5: the ID that the ROM names is the one to show", "[rom]") {
    CHECK(bios(make(X86{}), {modern, transitional}) == yes(0, modern));
    CHECK(bios(make(X86{.id = transitional}), {modern, transitional}) == yes(0, transitional));
    CHECK(bios(make(X86{}), {transitional, modern}) == yes(0, modern));
}

TEST_CASE("S3: a bad checksum", "[rom]") {
    Data data = make(X86{});
    data.at(900) ^= 0x3FU;
    CHECK(bios(data, {modern}) ==
          no({"image 1 is x86 code for 1af4:1041: its checksum is bad, and SeaBIOS refuses such a ROM."}));
}

TEST_CASE("S4: a large ROM runs alone, and not beside a VGA ROM", "[rom]") {
    CHECK(bios(make(X86{.units = 255}), {modern}, false) == yes(0, modern));
    CHECK(bios(make(X86{.units = 255}), {modern}, true) ==
          no({"image 1 is x86 code for 1af4:1041: it needs 131072 bytes of low memory; SeaBIOS has about "
              "122880 left beside "
              "the VGA ROM."}));
    CHECK(bios(make(X86{.units = 240}), {modern}, true) == yes(0, modern));  // the largest that ran
    CHECK(std::holds_alternative<Misfit>(bios(make(X86{.units = 241}), {modern}, true)));
}

TEST_CASE("S6: the device list does not count for SeaBIOS", "[rom]") {
    CHECK(bios(make(X86{.devices = {0x1041, 0x1000}}), {transitional}) ==
          no({"image 1 is x86 code for 1af4:1041: SeaBIOS compares this ID with the device's own, 1af4:1000, "
              "and ignores the "
              "device list."}));
}

TEST_CASE("S9: no $PnP or no BEV means no network boot entry", "[rom]") {
    CHECK(bios(make(X86{.pnp = false}), {modern}) ==
          no({"image 1 is x86 code for 1af4:1041: it has no $PnP header, without which SeaBIOS makes no "
              "network boot entry."}));
    CHECK(bios(make(X86{.bev = 0, .bcv = 0x10}), {modern}) ==
          no({"image 1 is x86 code for 1af4:1041: its $PnP header has no BEV, so it makes no network boot "
              "entry."}));
}

TEST_CASE("S10: a combined ROM runs on both firmwares", "[rom]") {
    const Data combined = make(X86{.last = false}) + make(EfiImage{});
    CHECK(bios(combined, {modern}) == yes(0, modern));
    CHECK(uefi(combined, {modern, transitional}) == yes(1, modern));
}

TEST_CASE("SeaBIOS goes past images of others, and not past damage", "[rom]") {
    const Data mine = make(X86{});
    CHECK(bios(make(X86{.id = e1000, .last = false}) + mine, {modern}) == yes(1, modern));
    CHECK(bios(make(EfiImage{.last = false}) + mine, {modern}) == yes(1, modern));
    const auto unreached =
        "image 2 is x86 code for 1af4:1041: SeaBIOS does not get to it: an image before it is damaged or "
        "ends the list.";
    CHECK(bios(make(EfiImage{.last = false}) + Data(512) + mine, {modern}) ==
          no({"image 1 is EFI code (x86-64) for 1af4:1041: a BIOS runs x86 code only.", unreached}));
}

TEST_CASE("SeaBIOS tries no second image with the same ID", "[rom]") {
    Data bad = make(X86{.last = false});
    bad.at(900) ^= 1U;
    CHECK(bios(bad + make(X86{}), {modern}) ==
          no({"image 1 is x86 code for 1af4:1041: its checksum is bad, and SeaBIOS refuses such a ROM.",
              "image 2 is x86 code for 1af4:1041: SeaBIOS takes an earlier image with the same ID and tries "
              "no other."}));
}

TEST_CASE("no device shows the ID of a family ROM", "[rom]") {
    const auto result = bios(make(X86{.id = {0, 0}}), {{0x10EC, 0x8029}});
    CHECK(result == no({"image 1 is x86 code for 0000:0000: no device shows this ID; QEMU writes the "
                        "device's own into its "
                        "default ROM only, not into a romfile=."}));
}

TEST_CASE("SeaBIOS and ROMs that end early or never", "[rom]") {
    Data data = make(X86{});
    data.resize(1999);
    CHECK(bios(data, {modern}) ==
          no({"image 1 is x86 code for 1af4:1041: it is cut short, so its checksum cannot be right."}));
    Data zero = make(X86{});
    zero.at(2) = 0;
    CHECK(bios(zero, {modern}) ==
          no({"image 1 is x86 code for 1af4:1041: its initialisation size is 0, and SeaBIOS takes "
              "that for no ROM."}));
    Data isa = make(X86{});
    put16(isa, 0x18, 0);
    CHECK(bios(isa, {modern}) ==
          no({"image 1 is without a PCI data structure: SeaBIOS runs no ROM without one on a PCI device."}));
    Data endless = make(X86{});
    put16(endless, pnp_at + 6, pnp_at);
    CHECK(bios(with_good_sum(endless, endless.size()), {modern}) ==
          no({"image 1 is x86 code for 1af4:1041: its chain of $PnP headers has no end, and SeaBIOS would "
              "follow it for "
              "ever."}));
}

TEST_CASE("what SeaBIOS does not mind is a warning", "[rom]") {
    Data data = make(X86{.last = false});
    CHECK(bios(data, {modern}) ==
          yes(0, modern, {"image 1 lacks the last-image flag, and no image follows it."}));
    put16(data, pcir_at + 0x10, 0);
    CHECK(bios(with_good_sum(data, data.size()), {modern}) ==
          yes(0, modern, {"image 1 says that its length is 0, so that no image after it can be found."}));
    Data cut = make(X86{.last = false}) + make(EfiImage{});
    cut.resize(cut.size() - 1);
    CHECK(bios(cut, {modern}) ==
          yes(0, modern, {"image 2 is cut short: 1 bytes are missing at the end of the file."}));
}

TEST_CASE("there is no BIOS on aarch64", "[rom]") {
    CHECK(try_match(make(X86{}), {Firmware::bios, Arch::aarch64, {modern}, false}) ==
          no({"There is no BIOS for aarch64: its firmware is UEFI."}));
}

TEST_CASE("O3: UEFI ignores BIOS images", "[rom]") {
    CHECK(uefi(make(X86{}), {modern}) ==
          no({"image 1 is x86 code for 1af4:1041: UEFI firmware starts EFI code only."}));
}

TEST_CASE("O4 and O5: UEFI ignores the ID, the driver inside does not", "[rom]") {
    CHECK(uefi(make(EfiImage{}), {transitional, modern}) == yes(0, modern));
    CHECK(uefi(make(EfiImage{.id = e1000}), {modern, transitional}) ==
          yes(0, modern,
              {"image 1 is made for 8086:100e, the NIC shows 1af4:1041 or 1af4:1000: the firmware starts it "
               "all the same, but "
               "if its driver does not know the NIC, the firmware's own PXE boots instead of it."}));
}

TEST_CASE("UEFI needs the machine's own code", "[rom]") {
    const Data x64 = make(EfiImage{.last = false});
    const Data aa64 = make(EfiImage{.machine = 0xAA64});
    CHECK(uefi(x64, {modern}, Arch::aarch64) ==
          no({"image 1 is EFI code (x86-64) for 1af4:1041: the firmware needs AArch64 code."}));
    CHECK(uefi(x64 + aa64, {modern}) == yes(0, modern));
    CHECK(uefi(x64 + aa64, {modern}, Arch::aarch64) == yes(1, modern));
}

TEST_CASE("UEFI looks at the EFI header", "[rom]") {
    const auto reason = [](const std::string& why) {
        return no({"image 1 is EFI code (x86-64) for 1af4:1041: " + why + "."});
    };
    CHECK(uefi(make(EfiImage{.subsystem = 0x0A}), {modern}) ==
          reason("its subsystem is 0x0a; a driver has 0x0b or 0x0c"));
    CHECK(uefi(make(EfiImage{.subsystem = 0x0C}), {modern}) == yes(0, modern));
    CHECK(uefi(make(EfiImage{.compression = 1}), {modern}) ==
          reason("its packed data are longer than the image"));
    CHECK(uefi(make(EfiImage{}, packed(driver_program())), {modern}) == yes(0, modern));
    CHECK(uefi(make(EfiImage{}, packed(text_data("no PE"))), {modern}) ==
          reason("what it unpacks to is no PE program"));
    CHECK(uefi(make(EfiImage{.compression = 2}), {modern}) == reason("its compression type 2 is unknown"));
    Data data = make(EfiImage{});
    SECTION("signature") {
        put16(data, 4, 0);
        CHECK(uefi(data, {modern}) == reason("it lacks the EFI signature 0x0ef1"));
    }
    SECTION("initialisation size") {
        put16(data, 2, 4);
        CHECK(uefi(data, {modern}) == reason("its initialisation size 2048 exceeds its length 1536"));
    }
    SECTION("header offset") {
        put16(data, 0x16, 0x600);
        CHECK(uefi(data, {modern}) == reason("its program begins at 0x600, outside the image"));
    }
    SECTION("no program") {
        put16(data, 0x16, 0x50);
        CHECK(uefi(data, {modern}) == reason("there is no PE program at 0x50 in it"));
    }
    SECTION("cut short") {
        data.resize(1535);
        CHECK(uefi(data, {modern}) == reason("it is cut short"));
    }
}

TEST_CASE("UEFI skips gaps, and stops at a damaged image", "[rom]") {
    const Data efi = make(EfiImage{});
    CHECK(uefi(make(X86{.last = false}) + Data(1024) + efi, {modern}) ==
          yes(1, modern, {"image 1 is followed by 1024 bytes that belong to no image."}));
    Data odd = make(X86{.last = false});
    std::copy_n(odd.begin() + pcir_at, 0x1C, odd.begin() + 0x142);
    put16(odd, 0x18, 0x142);
    CHECK(uefi(odd + efi, {modern}) ==
          no({"image 1 is x86 code for 1af4:1041: UEFI firmware starts EFI code only.",
              "image 2 is EFI code (x86-64) for 1af4:1041: the firmware does not get to it: its PCI data "
              "structure, or that of "
              "an image before it, is damaged."}));
}

TEST_CASE("an image of length 0 keeps UEFI firmware busy for ever", "[rom]") {
    Data zero = make(X86{.last = false});
    put16(zero, pcir_at + 0x10, 0);
    CHECK(uefi(make(EfiImage{.last = false}) + zero, {modern}) ==
          no({"image 1 is EFI code (x86-64) for 1af4:1041: the firmware never starts it: an image of length "
              "0 keeps it busy "
              "for ever.",
              "image 2 is x86 code for 1af4:1041: UEFI firmware starts EFI code only."}));
}
