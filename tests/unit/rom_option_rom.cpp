// read_option_rom on hand-made ROMs: what is read, what is complained of, and that nothing makes it loop or
// read too far.
#include <random>

#include "base/error.h"
#include "rom/describe.h"
#include "rom/efi_compression.h"
#include "rom/match.h"
#include "rom/option_rom.h"
#include "tests/unit/catch.h"
#include "tests/unit/rom_packer.h"

namespace {

using namespace vml::rom;
using namespace vml::rom::test;
using vml::Error;
using vml::ExitCode;

Image expected_x86() {
    Image image;
    image.length = image.init_size = 2048;
    image.code_type = CodeType::x86;
    image.pcir_offset = 0x1C;
    image.pcir_revision = 3;
    image.id = {0x1AF4, 0x1041};
    image.class_code = 0x020000;
    image.last = true;
    image.checksum_ok = true;
    image.pnp = Pnp{0x385, 0, "maker", "product", true, false};
    return image;
}

Image expected_efi() {
    Image image;
    image.length = image.init_size = 1536;
    image.code_type = CodeType::efi;
    image.pcir_offset = 0x1C;
    image.pcir_revision = 3;
    image.id = {0x1AF4, 0x1041};
    image.class_code = 0x020000;
    image.last = true;
    image.efi = Efi{true, 0x8664, 0x0B, 0, 0x38, true, {}, {}, IpxeRole::unknown};
    return image;
}

OptionRom read(const Data& data) {
    return read_option_rom(data, "test.rom");
}

std::vector<std::string> problems(const Data& data) {
    return read(data).problems;
}

using Sentences = std::vector<std::string>;

// Everything that looks at a ROM; what it says does not matter here.
void exercise(const Data& data) {
    try {
        const OptionRom rom = read(data);
        for (const Firmware firmware : {Firmware::bios, Firmware::uefi}) {
            for (const Arch arch : {Arch::x86_64, Arch::aarch64}) {
                (void)match(rom, {firmware, arch, {{0x1AF4, 0x1041}, {0x1AF4, 0x1000}}, true});
            }
        }
        REQUIRE_FALSE(to_json(rom, "x").dump().empty());
        REQUIRE_FALSE(to_table(rom, "x").empty());
    } catch (const Error& error) {
        REQUIRE(error.code() == ExitCode::host);
    }
}

std::string why_not(const Data& data) {
    try {
        (void)read(data);
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::host);
        CHECK(error.faults().at(0).what == "cannot read test.rom as an option ROM");
        CHECK_FALSE(error.faults().at(0).hint.empty());
        return error.faults().at(0).why;
    }
    return "it was read";
}

Data text(std::string_view content, std::size_t at = 0) {
    Data data(at + content.size(), 0x01);
    put_text(data, at, content);
    return data;
}

}  // namespace

TEST_CASE("ids read as lspci shows them", "[rom]") {
    CHECK(to_string(PciId{0x1AF4, 0x1041}) == "1af4:1041");
    CHECK(to_string(PciId{0, 0xF}) == "0000:000f");
    CHECK(to_string(static_cast<CodeType>(0x70)) == "code type 0x70");
    CHECK(machine_name(0xAA64) == "AArch64");
    CHECK(machine_name(0x1234) == "machine 0x1234");
}

TEST_CASE("an x86 image is read whole", "[rom]") {
    const OptionRom expected{{expected_x86()}, 2048, 0, false, std::nullopt, {}};
    CHECK(read(make(X86{})) == expected);
}

TEST_CASE("a combined ROM has both images", "[rom]") {
    Image bios = expected_x86();
    bios.last = false;
    Image efi = expected_efi();
    efi.offset = 2048;
    const OptionRom expected{{bios, efi}, 3584, 0, false, std::nullopt, {}};
    CHECK(read(make(X86{.last = false}) + make(EfiImage{})) == expected);
}

TEST_CASE("the device list, trailing bytes and texts", "[rom]") {
    const OptionRom rom = read(make(X86{.devices = {0x1041, 0x1000}}) + Data(700, 0xFF));
    CHECK(rom.images.at(0).devices == std::vector<std::uint16_t>{0x1041, 0x1000});
    CHECK(rom.trailing_bytes == 700);
    CHECK(rom.problems.empty());
}

TEST_CASE("UNDI and iPXE headers are found", "[rom]") {
    Data data = make(X86{});
    put16(data, 0x16, 0x200);
    put_text(data, 0x200, "UNDI");
    put16(data, 0x208, 0x0201);
    put16(data, 0x10, 0x240);
    put_text(data, 0x240, "iPXE");
    put16(data, 0x246, 7);
    put16(data, 0x248, 0x1234);
    fix_sum(data, 0, data.size(), 6);
    const OptionRom rom = read(data);
    CHECK(rom.images.at(0).undi == Undi{2, 1});
    CHECK(rom.images.at(0).ipxe == IpxeHeader{3584, 0x1234});
    CHECK(rom.is_ipxe);
    CHECK(rom.problems.empty());
}

TEST_CASE("name and version are read from an EFI image", "[rom]") {
    Data data = make(EfiImage{});
    put_text(data, 0x100, "iPXE");
    put_text(data, 0x200, "1.21.1");  // too little to be sure
    put_text(data, 0x240, "1.21.1+ (g4bd0)");
    CHECK(read(data).is_ipxe);
    CHECK(read(data).ipxe_version == "1.21.1+ (g4bd0)");
    put16(data, 0x0C, 2);  // of a compression that nobody knows
    CHECK_FALSE(read(data).is_ipxe);
    CHECK(read(data).ipxe_version == std::nullopt);
}

TEST_CASE("a packed EFI image is unpacked", "[rom]") {
    const OptionRom rom = read(make(EfiImage{}, packed(driver_program())));
    CHECK(rom.is_ipxe);
    CHECK(rom.ipxe_version == "1.21.1+git1");
    const Efi& efi = *rom.images.at(0).efi;
    CHECK(efi.pe_ok);
    CHECK(efi.unpacked_size == driver_program().size());
    CHECK(efi.packed_fault.empty());
    CHECK(rom.problems.empty());
}

TEST_CASE("a packed EFI image that cannot be unpacked is told", "[rom]") {
    Data data = make(EfiImage{}, packed(driver_program()));
    const std::size_t sizes_at = data.at(0x16);
    SECTION("its size") {
        put16(data, sizes_at, 0xFFFF);
        CHECK(problems(data) ==
              Sentences{"image 1 cannot be unpacked: its packed data are longer than the image."});
    }
    SECTION("its contents") {
        std::fill(data.begin() + static_cast<std::ptrdiff_t>(sizes_at) + 8, data.end(), std::uint8_t{0xFF});
        CHECK(problems(data) == Sentences{"image 1 cannot be unpacked: its packed data are damaged (a code "
                                          "that is none)."});
        CHECK_FALSE(read(data).is_ipxe);
    }
}

TEST_CASE("all images together unpack to no more than one could hold", "[rom]") {
    const Data first = make(EfiImage{.last = false}, packed(driver_program()));
    const Data second = make(EfiImage{}, with_sizes(Data(50), largest_unpacked));
    CHECK(read(second).images.at(0).efi->packed_fault.starts_with("its packed data are damaged"));
    const OptionRom rom = read(first + second);
    CHECK(rom.images.at(0).efi->unpacked_size == driver_program().size());
    CHECK(rom.images.at(1).efi->packed_fault ==
          "what it says that its packed data unpack to is larger than any ROM");
}

TEST_CASE("whole iPXE, a driver alone, and what cannot be told", "[rom]") {
    const auto role = [](const Data& program) { return ipxe_role(vml::Bytes{program}); };
    CHECK(role(whole_program()) == IpxeRole::whole);
    CHECK(role(driver_program()) == IpxeRole::driver);
    // Whole code whose boot entry nobody asks for.
    CHECK(role(whole_program() + text_data("#slow #unhelpful")) == IpxeRole::driver);
    CHECK(role(text_data("MZ another vendor's driver")) == IpxeRole::unknown);
    CHECK(role(text_data("MZ another's, with nothing to boot: Nothing to boot")) == IpxeRole::unknown);
    CHECK(role({}) == IpxeRole::unknown);
    // Any of its texts is enough: the others may be reworded.
    for (const char* text : {"No more network devices", "Nothing to boot: %s", "Next server: %s"}) {
        CHECK(role(text_data(std::string{"MZ iPXE "} + text)) == IpxeRole::whole);
    }
}

TEST_CASE("a chain of $PnP headers is given by the first one with a BEV", "[rom]") {
    Data data = make(X86{.bev = 0, .bcv = 0x111});
    put16(data, pnp_at + 6, 0xC0);
    std::copy_n(data.begin() + pnp_at, 0x20, data.begin() + 0xC0);
    put16(data, 0xC0 + 0x1A, 0x222);
    put16(data, 0xC0 + 6, 0);
    CHECK(read(data).images.at(0).pnp->bev == 0x222);
    put16(data, 0xC0 + 6, 0xC0);
    CHECK(read(data).images.at(0).pnp->endless);
}

TEST_CASE("damage is told in sentences", "[rom]") {
    Data data = make(X86{});
    const auto spoil16 = [&](std::size_t at, unsigned value) {
        put16(data, at, value);
        fix_sum(data, 0, data.size(), 6);
    };
    SECTION("checksum") {
        data.at(700) ^= 1U;
        CHECK(problems(data) ==
              Sentences{"image 1 has a bad checksum: its initialisation bytes do not sum up to 0."});
    }
    SECTION("pointer out of range") {
        spoil16(0x18, 0xFFF0);
        CHECK(problems(data) ==
              Sentences{"image 1 points to a PCI data structure at 0xfff0, which is past the end of the "
                        "file."});
    }
    SECTION("pointer to nothing") {
        spoil16(0x18, 0x200);
        CHECK(problems(data) ==
              Sentences{"image 1 points to a PCI data structure at 0x200, where there is none."});
    }
    SECTION("no PCIR") {
        spoil16(0x18, 0);
        CHECK(problems(data) ==
              Sentences{"image 1 has no PCI data structure: an ISA option ROM, which no PCI device runs."});
    }
    SECTION("length 0") {
        spoil16(pcir_at + 0x10, 0);
        CHECK(problems(data) ==
              Sentences{"image 1 says that its length is 0, so that no image after it can be found."});
    }
    SECTION("initialisation size 0") {
        data.at(2) = 0;
        CHECK(problems(data) == Sentences{"image 1 has an initialisation size of 0."});
    }
    SECTION("no last flag") {
        spoil16(pcir_at + 0x14, 0);
        CHECK(problems(data) == Sentences{"image 1 lacks the last-image flag, and no image follows it."});
    }
    SECTION("overlap") {
        spoil16(pcir_at + 0x10, 2);
        CHECK(problems(data) ==
              Sentences{
                  "image 1 overlaps what follows it: initialisation size 2048, image length 1024 bytes."});
    }
    SECTION("$PnP checksum") {
        data.at(pnp_at + 9) ^= 1U;
        fix_sum(data, 0, data.size(), 6);
        CHECK(problems(data) == Sentences{"image 1 has a $PnP header with a bad checksum."});
    }
    SECTION("cut short") {
        data.resize(2000);
        CHECK(problems(data) ==
              Sentences{"image 1 is cut short: 48 bytes are missing at the end of the file."});
    }
    SECTION("gap") {
        const Data gap = make(X86{.last = false}) + Data(1024) + make(EfiImage{});
        CHECK(problems(gap) == Sentences{"image 1 is followed by 1024 bytes that belong to no image."});
        CHECK(read(gap).images.size() == 2);
    }
    SECTION("PCIR at an odd offset") {
        Data odd = make(X86{});
        std::copy_backward(odd.begin() + pcir_at, odd.begin() + pcir_at + 0x1C, odd.begin() + 0x142 + 0x1C);
        put16(odd, 0x18, 0x142);
        fix_sum(odd, 0, odd.size(), 6);
        CHECK(problems(odd) ==
              Sentences{"image 1 has its PCI data structure at an offset that is no multiple of 4."});
    }
    SECTION("EFI") {
        Data efi = make(EfiImage{});
        put16(efi, 4, 0);
        put16(efi, 0x16, 0x50);
        CHECK(problems(efi) == Sentences{"image 1 is marked as EFI code but lacks the EFI signature 0x0ef1.",
                                         "image 1 has no PE program at 0x50."});
    }
}

TEST_CASE("images and device lists have an end", "[rom]") {
    Data many;
    for (int i = 0; i < 70; ++i) {
        many = many + make(X86{.units = 1, .last = false});
    }
    CHECK(read(many).images.size() == 64);
    CHECK(read(many).problems == Sentences{"There are more than 64 images; the rest is not looked at."});

    const std::vector<std::uint16_t> devices(400, 0x1041);
    const OptionRom rom = read(make(X86{.devices = devices}));
    CHECK(rom.images.at(0).devices.size() == 256);
    CHECK(rom.problems == Sentences{"image 1 has a device list without an end."});
}

TEST_CASE("a truncated ROM is never called sound", "[rom]") {
    const Data whole = make(X86{.last = false}) + make(EfiImage{});
    for (std::size_t length = 0; length < whole.size(); ++length) {
        CAPTURE(length);
        const Data cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
        exercise(cut);
        if (length < 2) {
            CHECK(why_not(cut) != "it was read");
            continue;
        }
        const OptionRom rom = read(cut);
        CHECK_FALSE(rom.problems.empty());
        const bool bios = std::holds_alternative<Fit>(
            match(rom, {Firmware::bios, Arch::x86_64, {{0x1AF4, 0x1041}}, false}));
        const bool uefi = std::holds_alternative<Fit>(
            match(rom, {Firmware::uefi, Arch::x86_64, {{0x1AF4, 0x1041}}, false}));
        CHECK(bios == (length >= 2048));
        CHECK_FALSE(uefi);
    }
}

TEST_CASE("what is no ROM is named", "[rom]") {
    CHECK(why_not({}) == "it is empty");
    CHECK(why_not(Data(4096, 0x00)) == "all its bytes are 0x00");
    CHECK(why_not(Data(4096, 0xFF)) == "all its bytes are 0xff");
    CHECK(why_not(text("\x7F"
                       "ELF\x02\x01")) == "it is an ELF file");
    CHECK(why_not(text("\x1F\x8B\x08")) == "it is a gzip file");
    CHECK(why_not(text("QFI\xFB")) == "it is a qcow2 disk image");
    CHECK(why_not(text("MZ\x90")) ==
          "it is a PE program, such as ipxe.efi: a boot program, not an option ROM");
    CHECK(why_not(text("HdrS", 0x202)) ==
          "it is a Linux kernel or an iPXE .lkrn image: a boot program, not an option ROM");
    CHECK(why_not(text("\x55\xAA", 510)) == "it is a disk image with a boot sector");
    CHECK(why_not(text("#!ipxe\nshell\n")) == "it is an iPXE script");
    CHECK(why_not(text("\n<!DOCTYPE html><html>404")) ==
          "it is HTML or XML, such as a web server's error page");
    CHECK(why_not(text("hello\n")) == "it is a text file");
    CHECK(why_not(text("\x01\x02\x03")) == "it begins with 01 02, an option ROM with 55 aa");
}

TEST_CASE("random bytes do no harm", "[rom]") {
    std::mt19937 random{20190125};
    for (int round = 0; round < 1000; ++round) {
        CAPTURE(round);
        Data data(random() % 3000);
        std::generate(data.begin(), data.end(), [&] { return static_cast<std::uint8_t>(random()); });
        if (data.size() > 2) {
            put16(data, 0, 0xAA55);
        }
        exercise(data);
    }
}

TEST_CASE("flipped bytes of a sound ROM do no harm", "[rom]") {
    const Data sound = make(X86{.devices = {0x1041}, .last = false}) + make(EfiImage{});
    std::mt19937 random{4};
    for (int round = 0; round < 2000; ++round) {
        CAPTURE(round);
        Data data = sound;
        for (int flips = 0; flips < 4; ++flips) {
            const std::size_t half = random() % 2 == 0 ? 0 : 2048;
            data.at(half + random() % 0x60) = static_cast<std::uint8_t>(random());
        }
        exercise(data);
    }
}
