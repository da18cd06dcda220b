// What lies in an image and under it: packed and empty files, headers of qcow2, chains of backing files.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "launcher/host/image_chain.h"
#include "launcher/host/image_look.h"
#include "launcher/plan/make_plan.h"
#include "launcher/vm/image_content.h"
#include "launcher/vm/qcow2_header.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using namespace std::string_literals;
using test::contains;
using test::Folder;
using test::made_up_host;
using test::run;
using test::Words;

// -- what a file holds

ImageContent content(const std::string& bytes) {
    return content_of_image(bytes_of(bytes), bytes.empty() ? 0 : std::max<std::size_t>(bytes.size(), 512));
}

TEST_CASE("what is packed is told by its mark, with the command that unpacks it") {
    const auto hint = [](const std::string& bytes, const std::string& path, const std::string& stated = "") {
        return fault_of_content(content(bytes), stated, path).hint;
    };
    CHECK(contains(hint("\x1F\x8B\x08\x08", "/d/disk.img.gz"), "gzip -dc /d/disk.img.gz > /d/disk.img"));
    CHECK(contains(hint("\xFD"
                        "7zXZ\0"s,
                        "/d/disk.raw.xz"),
                   "xz -dc /d/disk.raw.xz > /d/disk.raw"));
    CHECK(contains(hint("\x28\xB5\x2F\xFD", "/d/a b.qcow2"), "zstd -dc '/d/a b.qcow2' > '/d/a b.qcow2.img'"));
    CHECK(contains(hint("BZh91AY", "/d/x.bz2", "qcow2"), "bzip2 -dc /d/x.bz2 > /d/x"));
    CHECK(contains(hint(std::string(257, 'x') + "ustar", "/d/vm.ova"), "tar -xvf /d/vm.ova"));
    CHECK(hint("\x1F\x8B\x08\x08", "/d/disk.img.gz", "raw").empty());
    CHECK(hint(std::string(512, '\0'), "/d/disk.img").empty());
}

TEST_CASE("an empty file is no disk, whatever is said of it") {
    for (const char* stated : {"", "raw", "qcow2"}) {
        CHECK(contains(fault_of_content(content(""), stated, "/d/x").why, "a file of 0 bytes"));
    }
    CHECK(contains(fault_of_content(content(""), "", "/d/x.qcow2").hint,
                   "qemu-img create -f qcow2 /d/x.qcow2 20G"));
    CHECK(contains(fault_of_content(content(""), "raw", "/d/x.qcow2").hint, "truncate -s 20G /d/x.qcow2"));
}

TEST_CASE("a format that is stated must be there") {
    const auto why = [](const std::string& bytes, const std::string& stated) {
        return fault_of_content(content(bytes), stated, "/d/x").why;
    };
    CHECK(why("QFI\xFB", "qcow2").empty());
    CHECK(why("QFI\xFB", "raw").empty());
    CHECK(why("KDMV", "vmdk").empty());
    CHECK(why(std::string(0x40, '\0') + "\x7F\x10\xDA\xBE", "vdi").empty());
    CHECK(why("vhdxfile", "vhdx").empty());
    CHECK(why("conectix", "vpc").empty());
    CHECK(why("anything", "vpc") == "it is no vpc image");
    CHECK(why("anything", "qcow2") == "it is no qcow2 image");
    CHECK(why("QFI\xFB", "vmdk") == "it is no vmdk image");
    CHECK(contains(why("# Disk DescriptorFile\n", "vmdk"), "whose data lies in other files"));
    const ImageContent small = content_of_image(bytes_of("# Disk DescriptorFile\n"), 337);
    CHECK(contains(fault_of_content(small, "", "/d/x").why, "whose data lies in other files"));
}

TEST_CASE("what a download left in the place of an image is told") {
    const auto why = [](const ImageContent& held, const std::string& stated = "") {
        return fault_of_content(held, stated, "/d/x.img").why;
    };
    for (const char* page :
         {"<!DOCTYPE html>", "\n <html lang=en>", "<?xml version", "\xEF\xBB\xBF<!doctype"}) {
        CHECK(contains(why(content(page)), "HTML or XML"));
        CHECK(contains(why(content(page), "qcow2"), "HTML or XML"));
        CHECK(why(content(page), "raw").empty());
    }
    CHECK(why(content("<hello>")).empty());
    CHECK(why(content_of_image(bytes_of("x"), 1)) == "it has 1 byte, less than one sector");
    CHECK(why(content_of_image(bytes_of("x"), 511)) == "it has 511 bytes, less than one sector");
    CHECK(why(content_of_image(bytes_of("x"), 512)).empty());
    CHECK(why(content_of_image(bytes_of("x"), 1), "raw").empty());
    const auto hint = [](const std::string& bytes, const char* path) {
        return fault_of_content(content(bytes), "", path).hint;
    };
    CHECK(contains(hint("\x5D\0\0\x80\0"s, "/d/x.lzma"), "xz --format=lzma -dc /d/x.lzma > /d/x"));
    CHECK(contains(hint("\x1F\x9D\x90", "/d/x.Z"), "gzip -dc /d/x.Z > /d/x"));
    CHECK(contains(hint("Rar!\x1A\x07", "/d/x.rar"), "unrar p -inul /d/x.rar > /d/x"));
    CHECK(contains(hint("LZIP\x01", "/d/x.lz"), "lzip -dc /d/x.lz > /d/x"));
}

TEST_CASE("a VHD of fixed size has its mark at the end") {
    std::string footer = "conectix" + std::string(504, '\0');
    footer[63] = '\2';
    const ImageContent fixed = content_of_image(bytes_of(std::string(512, 'x')), 4096, bytes_of(footer));
    CHECK(fixed.magic == "vpc");
    CHECK(contains(fault_of_content(fixed, "", "/d/x.vhd").hint, "--disk-format vpc"));
    CHECK(fault_of_content(fixed, "vpc", "/d/x.vhd").why.empty());
    CHECK(fault_of_content(fixed, "raw", "/d/x.vhd").why.empty());
    footer[63] = '\3';
    CHECK(content_of_image(bytes_of(std::string(512, 'x')), 4096, bytes_of(footer)).magic.empty());
}

TEST_CASE("a CD is no disk image, and a base is judged as what lies on it says") {
    CHECK(contains(fault_of_cd(content("QFI\xFB"), "/d/x.iso").why, "it is a qcow2 image"));
    CHECK(
        contains(fault_of_cd(content("KDMV"), "/d/x.iso").hint, "qemu-img convert -O raw /d/x.iso NEW.iso"));
    CHECK(contains(fault_of_cd(content("<html>"), "/d/x.iso").why, "HTML"));
    CHECK(fault_of_cd(content(std::string(512, '\0')), "/d/x.iso").why.empty());
    CHECK(contains(fault_of_layer(content("\x1F\x8B\x08"), "raw", "/d/b.gz").why, "packed (gzip)"));
    CHECK(contains(fault_of_layer(content(""), "raw", "/d/b").why, "0 bytes"));
    CHECK(fault_of_layer(content("anything"), "raw", "/d/b").why.empty());
    CHECK(fault_of_layer(content("anything"), "luks", "/d/b").why.empty());
}

TEST_CASE("a qcow2 image that is cut off lacks what its tables name") {
    const Folder folder;
    const std::string in = fmt::format("cd {} && ", folder.path().string());
    run(in + "head -c 3M /dev/urandom > raw && qemu-img convert -O qcow2 raw whole.qcow2");
    run(in + "qemu-img convert -c -O qcow2 raw packed.qcow2");
    run(in + "qemu-img create -q -f qcow2 empty.qcow2 20G");
    run(in + "qemu-img create -q -f qcow2 -o preallocation=metadata ahead.qcow2 100M");
    run(in + "qemu-img create -q -f qcow2 -o extended_l2=on extended.qcow2 1G");
    run(in + "qemu-img create -q -f qcow2 -o data_file=data,data_file_raw=on elsewhere.qcow2 100M");
    const auto why = [&](const std::string& name) {
        return fault_of_content(content_of(folder.path() / name), "", "/d/x").why;
    };
    for (const char* whole : {"whole", "packed", "empty", "ahead", "extended", "elsewhere"}) {
        CAPTURE(whole);
        CHECK(why(whole + ".qcow2"s).empty());
    }
    for (const char* cut : {"whole", "packed", "ahead", "empty"}) {
        CAPTURE(cut);
        const auto file = folder.path() / (cut + ".qcow2"s);
        std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
        CHECK(contains(why(cut + ".qcow2"s), "it is cut off"));
    }
    CHECK_FALSE(read_qcow2_tables(bytes_of("QFI\xFB\0\0\0\3"s)));
}

// Sets bits in the byte of a file at that offset.
void set_bits(const std::filesystem::path& file, std::streamoff at, char bits) {
    std::fstream stream{file, std::ios::in | std::ios::out | std::ios::binary};
    stream.seekg(at);
    const char was = static_cast<char>(stream.get());
    stream.seekp(at);
    stream.put(static_cast<char>(was | bits));
}

TEST_CASE("a qcow2 image that QEMU would not open is refused, also where its format is stated") {
    const Folder folder;
    const std::string in = fmt::format("cd {} && qemu-img create -q ", folder.path().string());
    run(in +
        "--object secret,id=k,data=abc -f qcow2 -o encrypt.format=luks,encrypt.key-secret=k,"
        "encrypt.iter-time=10 locked.qcow2 1M");
    run(in + "-f qcow2 corrupt.qcow2 1M && cp corrupt.qcow2 dirty.qcow2");
    run(in + "-f qcow older.qcow2 1M");
    constexpr std::streamoff last_of_features = 79;
    set_bits(folder.path() / "corrupt.qcow2", last_of_features, 2);
    set_bits(folder.path() / "dirty.qcow2", last_of_features, 1);
    const auto fault = [&](const std::string& name, const std::string& stated) {
        return fault_of_content(content_of(folder.path() / name), stated, "/d/x");
    };
    for (const char* stated : {"", "qcow2"}) {
        CAPTURE(stated);
        CHECK(contains(fault("locked.qcow2", stated).why, "it is encrypted"));
        CHECK(contains(fault("locked.qcow2", stated).hint, "qemu-img convert --object secret"));
        CHECK(contains(fault("corrupt.qcow2", stated).why, "marked as corrupt"));
        CHECK(contains(fault("corrupt.qcow2", stated).hint, "qemu-img check -r all /d/x"));
        CHECK(fault("dirty.qcow2", stated).why.empty());
        CHECK(fault("older.qcow2", stated).why.empty());  // which qemu-img names
    }
    const auto of_layer = [&](const char* name) {
        return fault_of_layer(content_of(folder.path() / name), "qcow2", "/d/b").why;
    };
    CHECK(contains(of_layer("locked.qcow2"), "it is encrypted"));
    CHECK(of_layer("corrupt.qcow2").empty());  // it is only read
}

std::string faults_text(const Words& flags, const HostFacts& facts) {
    const auto faults = test::faults_of(flags, facts);
    CHECK(faults.front().code == ExitCode::host);
    return test::text_of(faults);
}

TEST_CASE("disks and CDs that are empty, packed or of another format are refused with what to do") {
    HostFacts facts = made_up_host();
    facts.disks = {test::an_image("raw")};
    facts.disks[0].content.empty = true;
    CHECK(contains(faults_text({"--disk=/d/x.img"}, facts), "a file of 0 bytes"));
    facts.disks = {test::an_image("raw")};
    facts.disks[0].content.packing = "gzip";
    CHECK(contains(faults_text({"--disk=/d/x.img.gz"}, facts), "gzip -dc /d/x.img.gz > /d/x.img"));
    facts.disks = {test::an_image("vdi")};
    const std::string vdi = faults_text({"--disk=/d/x.vdi"}, facts);
    CHECK(contains(vdi, "--disk-format vdi"));
    CHECK(contains(vdi, "qemu-img convert -O qcow2 /d/x.vdi"));
    facts.disks = {test::an_image("qed")};
    CHECK_FALSE(contains(faults_text({"--disk=/d/x.qed"}, facts), "--disk-format"));
    facts.disks.clear();
    facts.iso = test::a_file();
    facts.iso_content.packing = "xz";
    CHECK(contains(faults_text({"--iso=/d/x.iso.xz"}, facts), "xz -dc /d/x.iso.xz > /d/x.iso"));
    facts.iso_content = ImageContent{};
    facts.iso_content.empty = true;
    CHECK(contains(faults_text({"--iso=/d/x.iso"}, facts), "download it anew"));
}

TEST_CASE("a format that QEMU has a driver for is used when it is named") {
    HostFacts facts = made_up_host();
    facts.disks = {{test::a_file(), std::nullopt}};
    for (const std::string format : {"vmdk", "vhdx", "vdi", "vpc"}) {
        facts.disks[0].content.magic = format;
        const Plan plan = make_plan(test::spec_of({"--disk=/d/x", "--disk-format=" + format}, facts));
        CHECK(contains(test::values_of(plan, "-blockdev"),
                       "driver=" + format + ",node-name=disk0,file=disk0-file,discard=unmap"));
    }
    facts.disks[0].content.magic = "vmdk";
    facts.disks[0].image = ImageFacts{.format = "vmdk", .backing_file = "parent.vmdk"};
    CHECK(contains(faults_text({"--disk=/d/x", "--disk-format=vmdk"}, facts), "it lies on another image"));
}

// -- what a qcow2 header names

std::optional<Qcow2Header> header_in(const std::filesystem::path& file) {
    return read_qcow2_header(bytes_of(test::text_in(file).substr(0, largest_qcow2_header)));
}

TEST_CASE("the names in headers that the real qemu-img wrote") {
    const Folder folder;
    const std::string in = fmt::format("cd {} && qemu-img create -q -f qcow2 ", folder.path().string());
    run(in + "base.qcow2 1M");
    run(in + "-b base.qcow2 -F qcow2 over.qcow2");
    run(in + "-o compat=0.10 -b base.qcow2 -F qcow2 old.qcow2");
    run(in + "-o data_file=data.raw data.qcow2 1M");
    CHECK(header_in(folder.path() / "base.qcow2") == Qcow2Header{});
    CHECK(header_in(folder.path() / "over.qcow2") == Qcow2Header{"base.qcow2", "qcow2", std::nullopt});
    CHECK(header_in(folder.path() / "old.qcow2") == Qcow2Header{"base.qcow2", "qcow2", std::nullopt});
    CHECK(header_in(folder.path() / "data.qcow2")->data_file == "data.raw");
    CHECK_FALSE(header_in(folder.path() / "data.raw"));
}

TEST_CASE("a header that names what is not in it names nothing") {
    std::string header = "QFI\xFB\0\0\0\x03"s + std::string(96, '\0');
    header.replace(8, 12, "\0\0\0\0\0\0\x10\0\0\0\0\x05"s);
    CHECK(read_qcow2_header(bytes_of(header)) == Qcow2Header{});
    CHECK_FALSE(read_qcow2_header(bytes_of("QFI\xFB\0\0\0\x09"s)));
    CHECK_FALSE(read_qcow2_header(bytes_of("")));
}

TEST_CASE("a name is relative to the folder of the image, as qemu-img has it") {
    const auto file = [](const std::string& image, const std::string& name) {
        const auto meant = file_meant(image, name);
        return meant ? meant->file.string() : "";
    };
    CHECK(file("/d/over.qcow2", "base.qcow2") == "/d/base.qcow2");
    CHECK(file("over.qcow2", "base.qcow2") == "base.qcow2");
    CHECK(file("/d/over.qcow2", "../b/base.qcow2") == "/d/../b/base.qcow2");
    CHECK(file("/d/over.qcow2", "/b/base.qcow2") == "/b/base.qcow2");
    CHECK(file("/d/over.qcow2", "file:/b/base.qcow2") == "/b/base.qcow2");
    CHECK(file("/d/over.qcow2", "./a:b") == "/d/./a:b");
    CHECK(file("/d/over.qcow2", "nbd://host/disk").empty());
}

TEST_CASE("a name that is a block node of QEMU's") {
    const auto meant = [](const std::string& name) { return file_meant("/d/over.qcow2", name); };
    CHECK(meant(R"(json:{"driver":"qcow2","file":{"driver":"file","filename":"/b/x"}})") ==
          MeantFile{"/b/x", "qcow2"});
    CHECK(meant(R"(json:{"driver":"file","filename":"/b/x"})") == MeantFile{"/b/x", std::nullopt});
    for (const char* other :
         {R"(json:{"driver":"nbd","host":"h"})", R"(json:{"driver":"raw"})", "json:", "json:[1]",
          R"(json:{"driver":"raw","offset":512,"file":{"driver":"file","filename":"/b/x"}})",
          R"(json:{"driver":"raw","file":{"driver":"nbd","filename":"/b/x"}})",
          R"(json:{"driver":"raw","file":7})"}) {
        CAPTURE(other);
        CHECK_FALSE(meant(other));
    }
}

// -- chains

ImageFacts never_asked(const std::filesystem::path& image) {
    FAIL("nobody should ask about " << image);
    return {};
}

TEST_CASE("a chain is followed to its end, each name from the image that has it") {
    const Folder folder;
    std::filesystem::create_directory(folder.path() / "low");
    const std::string in = fmt::format("cd {} && qemu-img create -q -f qcow2 ", folder.path().string());
    run(in + "low/base.qcow2 1M");
    run(in + "-b base.qcow2 -F qcow2 low/middle.qcow2");
    run(in + "-b low/middle.qcow2 -F qcow2 over.qcow2");
    DiskFacts disk;
    follow_names(folder.path() / "over.qcow2", never_asked, disk);
    REQUIRE(disk.backing.size() == 2);
    CHECK(disk.backing[0].image.file == folder.path() / "low/middle.qcow2");
    CHECK(disk.backing[1].image.file == folder.path() / "low/base.qcow2");
    CHECK(disk.backing[1].format == "qcow2");
    CHECK(disk.backing[1].image.path.open_error == 0);
    CHECK_FALSE(disk.chain_fault);
}

TEST_CASE("a chain that does not end, and one whose header is wrong, are told") {
    const Folder folder;
    const std::string in = fmt::format("cd {} && qemu-img create -q -f qcow2 ", folder.path().string());
    run(in + "base.qcow2 1M");
    run(in + "-b base.qcow2 -F qcow2 over.qcow2");
    run(fmt::format("cp {0}/over.qcow2 {0}/base.qcow2", folder.path().string()));
    DiskFacts endless;
    follow_names(folder.path() / "over.qcow2", never_asked, endless);
    REQUIRE(endless.chain_fault);
    CHECK(contains(to_text(*endless.chain_fault), "lies under itself"));
    static_cast<void>(folder.write("base.qcow2", "a raw disk"));
    DiskFacts wrong;
    follow_names(folder.path() / "over.qcow2", never_asked, wrong);
    REQUIRE(wrong.chain_fault);
    CHECK(contains(to_text(*wrong.chain_fault), "it is none"));
}

// An overlay on two images, and one more with its data elsewhere.
HostFacts with_chain() {
    HostFacts facts = made_up_host();
    DiskFacts disk{test::a_file(), std::nullopt};
    disk.content.magic = "qcow2";
    disk.backing = {{{"/d/middle.qcow2", test::a_file()}, "qcow2", NamedFile{"/d/data.raw", test::a_file()}},
                    {{"/d/base.raw", test::a_file()}, "raw"}};
    facts.disks = {disk};
    return facts;
}

TEST_CASE("QEMU gets each image of a chain as a descriptor, and their order as nodes") {
    const Plan plan = make_plan(test::spec_of({"--disk=/d/over.qcow2", "--disk-format=qcow2"}, with_chain()));
    Words nodes;
    for (const std::string& value : test::values_of(plan, "-blockdev")) {
        if (!contains(value, "driver=file")) {
            nodes.push_back(value);
        }
    }
    CHECK(nodes ==
          Words{"driver=raw,node-name=disk0-backing2,file=disk0-backing2-file,read-only=on",
                "driver=qcow2,node-name=disk0-backing1,file=disk0-backing1-file,"
                "backing=disk0-backing2,data-file=disk0-backing1-data,read-only=on",
                "driver=qcow2,node-name=disk0,file=disk0-file,backing=disk0-backing1,discard=unmap"});
    Words opened;
    for (const PlannedFd& fd : plan.fds) {
        if (fd.purpose == FdPurpose::read_file || fd.purpose == FdPurpose::write_file) {
            opened.push_back(fmt::format("{} {}", to_string(fd.purpose), fd.source.string()));
        }
    }
    CHECK(opened == Words{"read_file /d/base.raw", "read_file /d/data.raw", "read_file /d/middle.qcow2",
                          "write_file /d/over.qcow2"});
}

TEST_CASE("what is missing in a chain, or cannot be read, is told with the image that names it") {
    HostFacts facts = with_chain();
    const Words flags{"--disk=/d/over.qcow2", "--disk-format=qcow2"};
    facts.disks[0].backing[1].image.path = {PathFacts::Kind::missing, ENOENT};
    const std::string missing = faults_text(flags, facts);
    CHECK(contains(missing, "cannot use /d/middle.qcow2"));
    CHECK(contains(missing, "its backing file /d/base.raw: No such file or directory"));
    CHECK(contains(missing, "qemu-img rebase"));
    facts.disks[0].backing[1].image.path = {PathFacts::Kind::file, EACCES};
    CHECK(contains(faults_text(flags, facts), "chmod a+r /d/base.raw"));
}

}  // namespace
}  // namespace vml
