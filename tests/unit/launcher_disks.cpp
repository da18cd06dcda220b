// Disks: what qemu-img says, the devices on each bus, what is kept, and QEMU's lock message.
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/host/image_probe.h"
#include "launcher/plan/make_plan.h"
#include "launcher/process/run_user.h"
#include "launcher/run/qemu_stderr.h"
#include "launcher/start/files.h"
#include "launcher/start/kept_files.h"
#include "launcher/vm/disk_image.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::an_image;
using test::contains;
using test::Folder;
using test::folder_of;
using test::made_up_host;
using test::run;
using test::spec_of;
using test::text_in;
using test::Words;

// -- what qemu-img says

TEST_CASE("the answer of qemu-img") {
    CHECK(parse_image_info(R"({"format": "raw", "virtual-size": 512})") == ImageFacts{.format = "raw"});
    CHECK(parse_image_info("qemu-img: warning: x\n{\"format\": \"qcow2\", \"backing-filename\": \"/b\"}\n") ==
          ImageFacts{.format = "qcow2", .backing_file = "/b"});
    CHECK(parse_image_info(R"({"format": "qcow2", "encrypted": 7,
                               "format-specific": {"type": "qcow2", "data": {"data-file": "/d"}}})") ==
          ImageFacts{.format = "qcow2", .data_file = "/d"});
    for (const char* no_answer : {"", "{", "}{", "[]", "{}", R"({"format": 3})", "qemu-img: Could not open",
                                  R"({"format": "raw", "format-specific": 1})"}) {
        CAPTURE(no_answer);
        CHECK_FALSE(parse_image_info(no_answer));
    }
}

TEST_CASE("an answer of qemu-img that nests without end is none") {
    const std::string deep(200'000, '[');
    CHECK_FALSE(parse_image_info(R"({"format": "raw", "format-specific": {"data": )" + deep +
                                 std::string(deep.size(), ']') + "}}"));
}

TEST_CASE("the last line of what is no answer is the reason, bounded and fit to be shown") {
    const auto why = [](const std::string& output) { return image_facts_in(output, "/d/x").fault->why; };
    CHECK(why("qemu-img: warning\nqemu-img: Could not open\n\n") == "qemu-img: Could not open");
    CHECK(why("\n") == "qemu-img gave no answer");
    CHECK(why("no: \xff\x1b[2J\n") == "no: \\xff\\x1b[2J");
    CHECK(why(std::string(1'000'000, 'x')).size() < 1000);
    CHECK_FALSE(image_facts_in(R"({"format": "raw"})", "/d/x").fault);
}

const std::filesystem::path qemu_img = "/usr/bin/qemu-img";

// The user that QEMU would run as; without root, whoever runs the tests.
std::optional<RunUser> nobody() {
    return look_for_run_user(std::nullopt, std::nullopt, [](const std::string&) { return ""; }).user;
}

TEST_CASE("images of several formats, as the real qemu-img sees their beginnings") {
    const Folder folder;
    const auto made = [&](const std::string& format) {
        const std::string path = (folder.path() / ("d." + format)).string();
        run(fmt::format("qemu-img create -q -f {} {} 300M", format, path));
        ::chmod(path.c_str(), 0600);  // its owner's alone: QEMU's user could not open it
        return probe_image(qemu_img, path, nobody());
    };
    CHECK(made("qcow2") == ImageFacts{.format = "qcow2"});
    CHECK(made("raw") == ImageFacts{.format = "raw"});
    for (const char* other : {"vmdk", "vhdx", "vpc", "vdi", "qed"}) {
        CAPTURE(other);
        CHECK(made(other).format == other);
    }
}

TEST_CASE("a raw disk in which a guest wrote the header of an image with a backing file is refused") {
    const Folder folder;
    const auto secret = folder.write("secret", std::string(512, 's'));
    const std::string header = (folder.path() / "header").string();
    run(fmt::format("qemu-img create -q -f qcow2 -b {} -F raw {} 1M", secret.string(), header));
    const auto disk = folder.write("disk.raw", "");
    std::filesystem::resize_file(disk, 1 << 20);
    run(fmt::format("dd if={} of={} conv=notrunc status=none", header, disk.string()));
    const ImageFacts facts = probe_image(qemu_img, disk, nobody());
    CHECK(facts.format == "qcow2");
    CHECK(facts.backing_file == secret.string());
    CHECK_FALSE(choose_format(facts, std::nullopt, disk).why.empty());
}

TEST_CASE("what qemu-img cannot tell, and what is not there to ask") {
    const Folder folder;
    const auto broken = folder.write("broken.qcow2", "QFI\xfb" + std::string(200, '\xff'));
    const ImageFacts facts = probe_image(qemu_img, broken, nobody());
    REQUIRE(facts.fault);
    CHECK(contains(to_text(*facts.fault), "the format of " + broken.string() + " cannot be told"));
    const ImageFacts without = probe_image(std::nullopt, broken, nobody());
    REQUIRE(without.fault);
    CHECK(contains(to_text(*without.fault), "apt-get install qemu-utils"));
    CHECK(probe_image(qemu_img, folder.path() / "nothing", nobody()).fault);
    CHECK(probe_image("/bin/false", broken, nobody()).fault);
}

// -- the devices

Words devices_of(const Words& flags, const HostFacts& facts) {
    Words devices;
    for (const PlannedArg& arg : make_plan(spec_of(flags, facts)).args) {
        if (arg.option == "-device" && contains(arg.value, "drive=")) {
            devices.push_back(arg.value);
        }
    }
    return devices;
}

TEST_CASE("a disk on each bus") {
    HostFacts facts = made_up_host();
    facts.disks = {an_image()};
    const auto device = [&](const std::string& bus) {
        return devices_of({"--disk=/d", "--disk-bus=" + bus}, facts).front();
    };
    CHECK(device("virtio") == "virtio-blk-pci,id=disk0-dev,drive=disk0,serial=disk0,bootindex=1");
    CHECK(device("scsi") ==
          "scsi-hd,id=disk0-dev,bus=scsi0.0,rotation_rate=1,drive=disk0,serial=disk0,bootindex=1");
    CHECK(device("nvme") == "nvme,id=disk0-dev,drive=disk0,serial=disk0,bootindex=1");
    CHECK(device("sata") == "ide-hd,id=disk0-dev,rotation_rate=1,drive=disk0,serial=disk0,bootindex=1");
}

TEST_CASE("the cache mode is on both nodes of a disk") {
    HostFacts facts = made_up_host();
    facts.disks = {an_image("qcow2")};
    const auto nodes_with = [&](const std::string& mode, const std::string& property) {
        Words flags{"--disk=/d"};
        if (!mode.empty()) {
            flags.push_back("--disk-cache=" + mode);
        }
        const Plan plan = make_plan(spec_of(flags, facts));
        return std::count_if(plan.args.begin(), plan.args.end(),
                             [&](const PlannedArg& arg) { return contains(arg.value, property); });
    };
    CHECK(nodes_with("", "cache.") == 0);
    CHECK(nodes_with("writeback", "cache.") == 0);
    CHECK(nodes_with("none", ",cache.direct=on") == 2);
    CHECK(nodes_with("unsafe", ",cache.no-flush=on") == 2);
    CHECK(nodes_with("none", "write-cache=off") == 0);
    CHECK(nodes_with("directsync", ",cache.direct=on") == 2);
    CHECK(nodes_with("directsync", ",write-cache=off") == 1);
    CHECK(nodes_with("writethrough", "cache.") == 0);
    CHECK(nodes_with("writethrough", ",write-cache=off") == 1);
}

TEST_CASE("the order from the first reset on, for every device that can boot") {
    HostFacts facts = made_up_host();
    facts.disks = {an_image()};
    facts.iso = test::a_file();
    const Plan plan = make_plan(spec_of({"--ipxe", "--bootfile=http://h/x", "--disk=/d", "--iso=/c",
                                         "--boot-once=network,cdrom", "--boot-order=hd"},
                                        facts));
    CHECK(plan.after_first_boot == std::vector<BootindexChange>{{"/machine/peripheral/net0", -1},
                                                                {"/machine/peripheral/disk0-dev", 101},
                                                                {"/machine/peripheral/cdrom0-dev", -1}});
    CHECK(make_plan(spec_of({"--disk=/d"}, facts)).after_first_boot.empty());
}

// -- what is kept

std::string content(int fd) {
    std::string text(std::size_t{1} << 16, '\0');
    const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
}

TEST_CASE("a kept copy is made once and then found again") {
    const Folder folder;
    const auto original = folder.write("template", "variables");
    const auto state = folder.path() / "box";
    OwnedFd state_fd = open_state_folder(state);
    {
        const OwnedFd first = open_kept_store(folder_of(state / "nvram.fd").get(),
                                              {state / "nvram.fd", original, false, "origin"});
        CHECK(content(first.get()) == "variables");
        REQUIRE(::pwrite(first.get(), "V", 1, 0) == 1);
    }
    const OwnedFd second = open_kept_store(folder_of(state / "nvram.fd").get(),
                                           {state / "nvram.fd", "/no/template/any/more", false, ""});
    CHECK(content(second.get()) == "Variables");
    CHECK(text_in(original) == "variables");
    struct stat status {};
    REQUIRE(::stat(state.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0700);
    state_fd.reset();
    CHECK_NOTHROW(open_state_folder(state));
}

TEST_CASE("a kept disk has the size of its making, and is sparse") {
    const Folder folder;
    const auto file = folder.path() / "disk0.raw";
    static_cast<void>(open_kept_blank(folder_of(file).get(), {file, std::uint64_t{5} << 30}));
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK(status.st_size == std::int64_t{5} << 30);
    CHECK(status.st_blocks < 100);
    static_cast<void>(open_kept_blank(folder_of(file).get(), {file, 512}));
    CHECK(std::filesystem::file_size(file) == std::uint64_t{5} << 30);
}

TEST_CASE("QEMU gets a descriptor past the host's cache where it is to have one") {
    const Folder folder;
    const auto file = folder.path() / "blank.raw";
    const auto is_direct = [&](bool direct) {
        const OwnedFd kept = open_kept_blank(folder_of(file).get(), {file, 4096, direct});
        return (::fcntl(kept.get(), F_GETFL) & O_DIRECT) != 0;
    };
    CHECK(is_direct(true));
    CHECK(is_direct(true));  // one that is there
    CHECK_FALSE(is_direct(false));
}

TEST_CASE("an image is in use where a QEMU's locks say so") {
    const Folder folder;
    const auto file = folder.write("disk.raw", std::string(4096, 'x'));
    constexpr off_t reads = 100;
    constexpr off_t writes = 101;
    constexpr off_t bears_no_writer = 201;
    const auto in_use = [&](off_t locked, bool writing) {
        const OwnedFd theirs{::open(file.c_str(), O_RDWR | O_CLOEXEC)};
        struct flock lock {};
        lock.l_type = F_RDLCK;
        lock.l_whence = SEEK_SET;
        lock.l_start = locked;
        lock.l_len = 1;
        REQUIRE(::fcntl(theirs.get(), F_OFD_SETLK, &lock) == 0);
        const OwnedFd ours{::open(file.c_str(), O_RDWR | O_CLOEXEC)};
        try {
            refuse_in_use(ours.get(), file, writing);
            return false;
        } catch (const Error& error) {
            CHECK(error.faults().front().code == ExitCode::host);
            return contains(error.what(),
                            file.string() + (locked == bears_no_writer ? " is read by another program"
                                                                       : " is in use by another VM"));
        }
    };
    CHECK_FALSE(in_use(reads, true));
    CHECK(in_use(writes, true));
    CHECK(in_use(writes, false));
    CHECK(in_use(bears_no_writer, true));
    CHECK_FALSE(in_use(bears_no_writer, false));
}

TEST_CASE("a copy that fails leaves no file of that name") {
    const Folder folder;
    const auto file = folder.path() / "nvram.fd";
    CHECK_THROWS_AS(open_kept_store(folder_of(file).get(), {file, "/no/such/template", false, "origin"}),
                    Error);
    CHECK_FALSE(std::filesystem::exists(file));
    CHECK_THROWS_AS(open_kept_blank(folder_of("/no/such/folder/disk").get(), {"/no/such/folder/disk", 512}),
                    Error);
    CHECK_THROWS_AS(open_state_folder("/no/such/folder/box"), Error);
}

TEST_CASE("the mark of the first boot") {
    const Folder folder;
    const OwnedFd fd = open_state_folder(folder.path());
    CHECK(write_first_boot_mark(fd.get()) == 0);
    CHECK(write_first_boot_mark(fd.get()) == 0);
    CHECK(std::filesystem::exists(folder.path() / first_boot_mark));
    CHECK(write_first_boot_mark(-1) == EBADF);
}

// -- QEMU's last words

TEST_CASE("QEMU's lock message names the image") {
    const std::vector<NamedDescriptor> files{{102, "/x/CODE.fd"}, {103, "/images/d.qcow2"}};
    const auto fault =
        explain_qemu_stderr({"qemu-system-x86_64: -blockdev driver=raw,node-name=disk0,file=disk0-file: "
                             "Failed to get \"write\" lock",
                             "Is another process using the image [/dev/fdset/103]?"},
                            files);
    REQUIRE(fault);
    CHECK(fault->what == "/images/d.qcow2 is in use by another VM");
    CHECK(fault->code == ExitCode::qemu);
    CHECK_FALSE(explain_qemu_stderr({"Failed to get \"write\" lock", "[/dev/fdset/7]"}, files));
    CHECK_FALSE(explain_qemu_stderr({"Failed to get \"write\" lock"}, files));
    CHECK_FALSE(explain_qemu_stderr({"qemu: no such device", "/dev/fdset/103"}, files));
    CHECK_FALSE(explain_qemu_stderr({}, files));
}

TEST_CASE("QEMU's words for a port that it cannot have name the port") {
    const auto forward = explain_qemu_stderr(
        {"qemu-system-x86_64: -netdev user,id=n,hostfwd=udp:127.0.0.1:8080-:80: Could not "
         "set up host forwarding rule "
         "'udp:127.0.0.1:8080-:80'"},
        {});
    REQUIRE(forward);
    CHECK(forward->what == "QEMU cannot listen on udp port 8080 of 127.0.0.1");
    CHECK(forward->code == ExitCode::qemu);
    CHECK(contains(forward->why, "Could not set up"));
    CHECK(contains(forward->hint, "--port-forward"));
    const auto screen = explain_qemu_stderr(
        {"qemu-system-x86_64: -vnc 0.0.0.0:99: Failed to find an available port: Address already in use"},
        {});
    REQUIRE(screen);
    CHECK(screen->what == "QEMU cannot listen on tcp port 5999 of 0.0.0.0");
    CHECK(contains(screen->hint, "--vnc-port"));
    for (const char* other :
         {"Could not set up host forwarding rule 'tcp'", "Could not set up host forwarding rule '",
          "q: -vnc x: Failed to y: Address already in use", "q: -vnc :1: Failed to start"}) {
        CHECK_FALSE(explain_qemu_stderr({other}, {}));
    }
}

TEST_CASE("QEMU's words for what it does not have name the setting and the list") {
    const auto text = [](const char* line) {
        const auto fault = explain_qemu_stderr({line}, {});
        REQUIRE(fault);
        CHECK(fault->code == ExitCode::settings);
        return to_text(*fault);
    };
    const std::string cpu = text("qemu-system-x86_64: unable to find CPU model 'foo'");
    CHECK(contains(cpu, "this QEMU has no CPU 'foo'"));
    CHECK(contains(cpu, "qemu-system-x86_64 -cpu help"));
    CHECK(contains(text("qemu-system-x86_64: Property 'max-x86_64-cpu.nofeat' not found"),
                   "has no 'max-x86_64-cpu.nofeat'"));
    CHECK(contains(text("qemu-system-x86_64: unsupported machine type"), "-machine help"));
    CHECK(contains(text("q: unsupported machine type: \"pc-q35-99.0\""), "pc-q35-99.0"));
    CHECK(contains(text("q: Invalid SMP CPUs 300. The max CPUs supported by machine 'pc-q35-7.2' is 288"),
                   "--cpus 288 or less"));
    CHECK(contains(text("q: current -smp configuration requires kernel irqchip and X2APIC API support."),
                   "--cpus 255 or less"));
    const auto http = explain_qemu_stderr(
        {"q: -blockdev driver=qcow2: Could not open backing file: Unknown protocol 'http'"}, {});
    REQUIRE(http);
    CHECK(http->code == ExitCode::host);
    CHECK(contains(http->hint, "qemu-block-extra"));
    const auto newer = explain_qemu_stderr(
        {"q: -blockdev driver=qcow2: Unsupported qcow2 feature(s): Unknown incompatible feature: 200"}, {});
    REQUIRE(newer);
    CHECK(newer->code == ExitCode::host);
    CHECK(contains(newer->hint, "a newer one"));
    for (const char* other : {"q: Property 'virtio-net-pci.x' not found", "q: Invalid SMP CPUs", "q: is 3"}) {
        CHECK_FALSE(explain_qemu_stderr({other}, {}));
    }
}

}  // namespace
}  // namespace vml
