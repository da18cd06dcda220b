// A file that a VM has twice, formats of several disks, and ports of the host that two of its settings take.
#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "launcher/host/data_files.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::contains;
using test::Folder;
using test::made_up_host;
using test::Words;

PathFacts file_of(ino_t inode) {
    return {PathFacts::Kind::file, 0, 0, FileId{1, inode}};
}

DiskFacts disk_of(ino_t inode) {
    return {file_of(inode), ImageFacts{.format = "raw"}};
}

DiskFacts overlay_of(ino_t inode, const std::filesystem::path& base, ino_t base_inode) {
    DiskFacts disk{file_of(inode), std::nullopt};
    disk.content.magic = "qcow2";
    disk.backing = {{{base, file_of(base_inode)}, "qcow2"}};
    return disk;
}

std::string refused(const Words& flags, const HostFacts& facts) {
    const auto faults = test::faults_of(flags, facts);
    CHECK(faults.size() == 1);
    return test::text_of(faults);
}

TEST_CASE("one image as two disks is refused, by whatever names it goes") {
    HostFacts facts = made_up_host();
    facts.disks = {disk_of(7), disk_of(7)};
    const std::string linked = refused({"--disk=/d/a.img", "--disk=/d/link.img"}, facts);
    CHECK(contains(linked, "--disk: cannot use /d/link.img"));
    CHECK(contains(linked, "the same file as /d/a.img of --disk"));
    facts.disks = {test::an_image(), test::an_image()};
    CHECK(contains(refused({"--disk=/d/a.img", "--disk=/d/x/../a.img"}, facts), "the same file"));
    facts.disks = {disk_of(7), disk_of(8)};
    CHECK(test::spec_of({"--disk=/d/a.img", "--disk=/d/b.img"}, facts).disks.size() == 2);
}

TEST_CASE("two disks are told by their variables") {
    HostFacts facts = made_up_host();
    facts.disks = {disk_of(7), disk_of(7)};
    const ReadResult read = test::read_settings({}, {{"DISK", "/d/a"}, {"DISK2", "/d/b"}}, test::no_file);
    const Decision decision = decide(read.settings, read.origins, facts);
    const std::string text = test::text_of(std::get<std::vector<Fault>>(decision));
    CHECK(contains(text, "$DISK2: cannot use /d/b"));
    CHECK(contains(text, "/d/a of $DISK:"));
}

TEST_CASE("one image as a disk and as the CD is refused, and beside another disk it is not") {
    HostFacts facts = made_up_host();
    facts.disks = {disk_of(7)};
    facts.iso = file_of(7);
    CHECK(contains(refused({"--disk=/d/a.iso", "--iso=/d/a.iso"}, facts), "--iso: cannot use /d/a.iso"));
    facts.iso = file_of(8);
    CHECK(test::spec_of({"--disk=/d/a.iso", "--iso=/d/b.iso"}, facts).cdrom);
}

TEST_CASE("a base beside its overlay is refused, in either order, and a base of two overlays is not") {
    HostFacts facts = made_up_host();
    DiskFacts base{file_of(1), std::nullopt};
    base.content.magic = "qcow2";
    facts.disks = {overlay_of(2, "/d/base", 1), base};
    const std::string below = refused({"--disk=/d/over", "--disk=/d/b", "--disk-format=qcow2"}, facts);
    CHECK(contains(below, "cannot use /d/b"));
    CHECK(contains(below, "/d/over of --disk lies on it"));
    CHECK(contains(below, "qemu-img create -f qcow2 -F qcow2 -b /d/b NEW.qcow2"));
    facts.disks = {base, overlay_of(2, "/d/base", 1)};
    CHECK(contains(refused({"--disk=/d/b", "--disk=/d/over", "--disk-format=qcow2"}, facts),
                   "cannot use /d/b"));
    facts.disks = {overlay_of(2, "/d/base", 1), overlay_of(3, "/d/base", 1)};
    CHECK(test::spec_of({"--disk=/d/o1", "--disk=/d/o2", "--disk-format=qcow2"}, facts).disks.size() == 2);
}

TEST_CASE("two images with one data file") {
    HostFacts facts = made_up_host();
    DiskFacts disk{file_of(1), std::nullopt};
    disk.content.magic = "qcow2";
    disk.data_file = NamedFile{"/d/data", file_of(9)};
    facts.disks = {disk, disk};
    facts.disks[1].path = file_of(2);
    CHECK(contains(refused({"--disk=/d/a", "--disk=/d/b", "--disk-format=qcow2"}, facts),
                   "its data file is the same file as the data file of /d/a"));
}

TEST_CASE("the blank disk that is kept is no disk of its own") {
    HostFacts facts = made_up_host();
    facts.data = test::data_folder();
    facts.disks = {test::an_image()};
    CHECK(contains(refused({"--disk=/srv/data/vm/blank.raw", "--blank-disk"}, facts), "--blank-disk"));
}

TEST_CASE("a file is the same by a symbolic and by a hard link") {
    const Folder folder;
    const auto file = folder.write("a", "x");
    std::filesystem::create_symlink("a", folder.path() / "symbolic");
    std::filesystem::create_hard_link(file, folder.path() / "hard");
    const auto id = look_at(file, O_RDWR).id;
    REQUIRE(id);
    CHECK(look_at(folder.path() / "symbolic", O_RDWR).id == id);
    CHECK(look_at(folder.path() / "hard", O_RDWR).id == id);
    CHECK(look_at(folder.write("b", "x"), O_RDWR).id != id);
}

TEST_CASE("what cannot be reached for want of rights is not told as missing") {
    HostFacts facts = made_up_host();
    facts.disks = {{PathFacts{PathFacts::Kind::missing, EACCES}, std::nullopt}};
    CHECK(contains(refused({"--disk=/d/a"}, facts), "the folders above it"));
    facts.disks = {{PathFacts{PathFacts::Kind::missing, ENOENT}, std::nullopt}};
    CHECK(contains(refused({"--disk=/d/a"}, facts), "check the path"));
    facts.disks = {overlay_of(2, "/d/base", 1)};
    facts.disks[0].backing[0].image.path = {PathFacts::Kind::missing, EACCES};
    const std::string base = refused({"--disk=/d/over", "--disk-format=qcow2"}, facts);
    CHECK(contains(base, "chmod a+r /d/base (and a+x the folders above it)"));
    CHECK_FALSE(contains(base, "rebase"));
}

// -- formats

TEST_CASE("each disk may have a format of its own, and hints say so") {
    HostFacts facts = made_up_host();
    DiskFacts overlay{file_of(2), std::nullopt};
    overlay.content.magic = "qcow2";
    facts.disks = {disk_of(1), overlay};
    const VmSpec spec = test::spec_of({"--disk=/d/a", "--disk=/d/b", "--disk-format=auto,qcow2"}, facts);
    CHECK(spec.disks[0].format == "raw");
    CHECK(spec.disks[1].format == "qcow2");
    facts.disks[1].image = ImageFacts{.format = "qcow2", .backing_file = "/d/base"};
    const std::string claim = refused({"--disk=/d/a", "--disk=/d/b"}, facts);
    CHECK(contains(claim, "say --disk-format auto,qcow2; if it is a raw disk, --disk-format auto,raw"));
    const std::string one = refused({"--disk=/d/a", "--disk=/d/b", "--disk-format=qcow2"}, facts);
    CHECK(contains(one, "--disk-format raw,qcow2"));
    const auto faults = test::faults_of({"--disk=/d/a", "--disk=/d/b", "--disk-format=raw,raw,raw"}, facts);
    CHECK(faults.front().code == ExitCode::settings);
    CHECK(contains(faults.front().what, "3 formats for 2 disks"));
}

// -- ports

TEST_CASE("the screen's port is no other setting's") {
    const auto text = [](const Words& more) {
        Words flags{"--blank-disk", "--graphics=vnc"};
        flags.insert(flags.end(), more.begin(), more.end());
        const auto faults = test::faults_of(flags, made_up_host());
        CHECK(faults.front().code == ExitCode::settings);
        return test::text_of(faults);
    };
    CHECK(
        contains(text({"--ssh-port=5900"}), "--vnc-port (default) and --ssh-port both take host port 5900"));
    CHECK(contains(text({"--vnc-port=8080", "--port-forward=8080:80"}),
                   "--vnc-port and --port-forward both take host port 8080"));
    CHECK(contains(text({"--port-forward=0.0.0.0:5900:80"}), "both take host port 5900"));
}

TEST_CASE("a port of another protocol or address, or without a screen, is free") {
    for (const Words& flags : {Words{"--graphics=vnc", "--port-forward=udp:5900:69"},
                               Words{"--graphics=vnc", "--port-forward=127.0.0.2:5900:80"},
                               Words{"--graphics=vnc", "--ssh-port=2222"}, Words{"--ssh-port=5900"}}) {
        Words all{"--blank-disk"};
        all.insert(all.end(), flags.begin(), flags.end());
        CHECK(test::spec_of(all, made_up_host()).disks.size() == 1);
    }
}

}  // namespace
}  // namespace vml
