// A VM → QEMU's argv, its descriptors, the checks before the guest runs, and all that as text.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "launcher/plan/make_plan.h"
#include "launcher/plan/plan_text.h"
#include "launcher/vm/identity.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::a_file;
using test::an_image;
using test::bios_rom;
using test::contains;
using test::efi_rom;
using test::Folder;
using test::made_up_host;
using test::plan_of;
using test::spec_of;
using test::text_in;
using test::values_of;
using test::with_netboot;
using test::Words;

const PlannedArg& nic_of(const Plan& plan) {
    const auto nic = std::find_if(plan.args.begin(), plan.args.end(), [](const PlannedArg& arg) {
        return arg.option == "-device" && contains(arg.value, "netdev=net0");
    });
    REQUIRE(nic != plan.args.end());
    return *nic;
}

TEST_CASE("the whole argv of a network boot by iPXE") {
    const Plan plan = plan_of({"--ipxe", "--netboot-dir=/srv/netboot"}, with_netboot(made_up_host()));
    const Words expected{"-name",
                         "guest=vm",
                         "-uuid",
                         uuid_of("vm"),
                         "-no-user-config",
                         "-nodefaults",
                         "-machine",
                         "q35,graphics=off",
                         "-accel",
                         "tcg",
                         "-cpu",
                         "max",
                         "-smp",
                         "2",
                         "-m",
                         "4096M",
                         "-display",
                         "none",
                         "-sandbox",
                         "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
                         "-boot",
                         "menu=off,strict=on",
                         "-chardev",
                         "socket,id=qmp,fd=3",
                         "-mon",
                         "chardev=qmp,mode=control",
                         "-S",
                         "-chardev",
                         "socket,id=console,fd=4",
                         "-serial",
                         "chardev:console",
                         "-netdev",
                         "user,id=net0,tftp=/srv/netboot,bootfile=http://10.0.2.2:8080/boot.ipxe",
                         "-device",
                         "virtio-net-pci,id=net0,netdev=net0,mac=" + mac_of("vm", 1) +
                             ",bootindex=1,disable-legacy=on,romfile=/proc/self/fd/5",
                         "-object",
                         "filter-dump,id=net0-dump,netdev=net0,file=/proc/self/fd/6,maxlen=1024",
                         "-chardev",
                         "socket,id=net0-frames,fd=7",
                         "-object",
                         "filter-redirector,id=net0-inlet,netdev=net0,queue=tx,indev=net0-frames",
                         "-chardev",
                         "socket,id=qga,fd=8",
                         "-device",
                         "virtio-serial-pci,id=ports",
                         "-device",
                         "virtserialport,bus=ports.0,chardev=qga,name=org.qemu.guest_agent.0,id=agent"};
    CHECK(argv_of(plan.args, 8080) == expected);
    CHECK(plan.program == "/usr/bin/qemu-system-x86_64");
    CHECK(plan.fds ==
          std::vector<PlannedFd>{
              {.number = 3, .purpose = FdPurpose::qmp},
              {.number = 4, .purpose = FdPurpose::console},
              {.number = 5, .purpose = FdPurpose::rom, .source = "/usr/lib/ipxe/qemu/pxe-virtio.rom"},
              {.number = 6, .purpose = FdPurpose::capture, .nic = 1},
              {.number = 7, .purpose = FdPurpose::frames, .nic = 1},
              {.number = 8, .purpose = FdPurpose::agent}});
    CHECK(nic_of(plan).by_hand->ends_with("romfile=/usr/lib/ipxe/qemu/pxe-virtio.rom"));
}

TEST_CASE("the packets of a NIC that boots are looked at, and of no other") {
    const Plan plan = plan_of({"--ipxe", "--bootfile=http://h/x", "--nic=mode=nat"}, made_up_host());
    REQUIRE(plan.wire.size() == 1);
    CHECK(plan.wire.front() == WirePoint{1, "net0", mac_of("vm", 1), "net0-dump", "net0-inlet"});
    CHECK(plan_of({"--ipxe", "--bootfile=http://h/x", "--no-boot-watch"}, made_up_host()).wire.empty());
    CHECK(plan_of({"--blank-disk"}, made_up_host()).wire.empty());
}

// What QEMU offers is repeated to iPXE alone, and only as the decoder of packets can give it back.
TEST_CASE("an offer is repeated where it is QEMU's, and iPXE boots by it") {
    const auto repeats = [](const Words& more) {
        Words flags{"--bootfile=http://h/x"};
        flags.insert(flags.end(), more.begin(), more.end());
        const Plan plan = plan_of(flags, made_up_host());
        return !plan.wire.empty() && !plan.wire.front().inlet.empty();
    };
    CHECK(repeats({"--ipxe"}));
    CHECK_FALSE(repeats({"--ipxe", "--fast-boot=off"}));
    CHECK_FALSE(repeats({"--ipxe", "--no-boot-watch"}));
    CHECK_FALSE(repeats({"--boot-order=network"}));
    CHECK_FALSE(repeats({"--ipxe", "--bootfile=http://h/ü"}));
}

TEST_CASE("the same VM leads to the same plan") {
    const Words flags{"--ipxe", "--bootfile=http://h/x", "--blank-disk"};
    CHECK(plan_of(flags, made_up_host()) == plan_of(flags, made_up_host()));
}

TEST_CASE("the NIC shows its ROM's ID, and that is checked before the guest runs") {
    const auto plan_with = [](rom::PciId id) {
        HostFacts facts = made_up_host();
        facts.roms = {std::vector<RomCandidate>{bios_rom("/r.rom", id)}};
        return plan_of({"--ipxe", "--bootfile=http://h/x"}, facts);
    };
    const Plan modern = plan_with({0x1AF4, 0x1041});
    CHECK(contains(nic_of(modern).value, "disable-legacy=on"));
    REQUIRE(modern.checks.size() == 1);
    CHECK(modern.checks.front().path == "/machine/peripheral/net0");
    CHECK(modern.checks.front().property == "disable-legacy");
    CHECK(modern.checks.front().expected == "on");
    CHECK(contains(modern.checks.front().meaning, "1af4:1041"));
    const Plan transitional = plan_with({0x1AF4, 0x1000});
    CHECK(contains(nic_of(transitional).value, "disable-legacy=off"));
    CHECK(transitional.checks.front().expected == "off");
    CHECK(contains(nic_of(transitional).reason, "1af4:1000"));
}

TEST_CASE("a NIC without virtio has one ID: nothing to set, nothing to check") {
    HostFacts facts = made_up_host();
    facts.roms = {std::vector<RomCandidate>{bios_rom("/e1000.rom", {0x8086, 0x100E})}};
    const Plan plan = plan_of({"--ipxe", "--nic-model=e1000", "--bootfile=http://h/x"}, facts);
    CHECK(nic_of(plan).value ==
          "e1000,id=net0,netdev=net0,mac=" + mac_of("vm", 1) + ",bootindex=1,romfile=/proc/self/fd/5");
    CHECK(plan.fds.at(2).source == "/e1000.rom");
    CHECK(plan.checks.empty());
}

TEST_CASE("a NIC without a ROM gets none, and its reason says why") {
    HostFacts facts = made_up_host();
    facts.disks = {an_image()};
    const Plan disk = plan_of({"--disk=/d"}, facts);
    CHECK(contains(nic_of(disk).value, ",romfile="));
    CHECK(nic_of(disk).value.ends_with("romfile="));
    CHECK_FALSE(contains(nic_of(disk).value, "bootindex"));
    CHECK(disk.checks.empty());
    const Plan uefi = plan_of({"--boot-order=network", "--firmware=uefi"}, made_up_host());
    CHECK(contains(nic_of(uefi).reason, "the firmware's own PXE boots"));
}

TEST_CASE("UEFI comes as two flash devices, the second a private copy") {
    HostFacts facts = made_up_host();
    facts.roms = {std::vector<RomCandidate>{efi_rom("/efi.rom")}};
    const Plan plan = plan_of({"--ipxe", "--firmware=uefi", "--bootfile=http://h/x"}, facts);
    CHECK(values_of(plan, "-machine") == Words{"q35,graphics=off,pflash0=firmware,pflash1=nvram"});
    CHECK(values_of(plan, "-blockdev") ==
          Words{"driver=file,filename=/dev/fdset/3,node-name=firmware-file,read-only=on",
                "driver=raw,node-name=firmware,file=firmware-file,read-only=on",
                "driver=file,filename=/dev/fdset/4,node-name=nvram-file,read-only=off",
                "driver=raw,node-name=nvram,file=nvram-file,read-only=off"});
    REQUIRE_FALSE(plan.fds.empty());
    CHECK(plan.fds.at(0).purpose == FdPurpose::read_file);
    CHECK(plan.fds.at(0).source == "/usr/share/edk2/x86_64_CODE.fd");
    CHECK(plan.fds.at(1).purpose == FdPurpose::nvram);
    CHECK(plan.fds.at(1).source == "/usr/share/edk2/x86_64_VARS.fd");
    CHECK(plan.checks.empty());
}

TEST_CASE("disks, in the shape of -blockdev") {
    HostFacts facts = made_up_host();
    facts.disks = {an_image("qcow2")};
    facts.iso = a_file();
    const Plan plan = plan_of({"--disk=/d.qcow2", "--iso=/c.iso", "--boot-order=cdrom,hd"}, facts);
    CHECK(values_of(plan, "-blockdev") ==
          Words{"driver=file,filename=/dev/fdset/5,node-name=disk0-file,discard=unmap",
                "driver=qcow2,node-name=disk0,file=disk0-file,discard=unmap",
                "driver=file,filename=/dev/fdset/6,node-name=cdrom0-file,read-only=on",
                "driver=raw,node-name=cdrom0,file=cdrom0-file,read-only=on"});
    CHECK(plan.fds.at(2).purpose == FdPurpose::write_file);
    CHECK(plan.fds.at(2).source == "/d.qcow2");
    CHECK(plan.fds.at(3).purpose == FdPurpose::read_file);
    CHECK(plan.fds.at(3).source == "/c.iso");
    const Words devices = values_of(plan, "-device");
    CHECK(contains(devices, "virtio-blk-pci,id=disk0-dev,drive=disk0,serial=disk0,bootindex=2"));
    CHECK(contains(devices, "ide-cd,id=cdrom0-dev,drive=cdrom0,bootindex=1"));
}

TEST_CASE("a machine without IDE gets its CD-ROM by SCSI") {
    HostFacts facts = made_up_host();
    facts.iso = a_file();
    facts.qemu_program = "qemu-system-aarch64";
    const Words devices = values_of(plan_of({"--arch=aarch64", "--iso=/c.iso"}, facts), "-device");
    CHECK(contains(devices, "virtio-scsi-pci,id=scsi0"));
    CHECK(contains(devices, "scsi-cd,id=cdrom0-dev,drive=cdrom0,bootindex=1"));
}

TEST_CASE("a blank disk is a descriptor of its size") {
    const Plan plan = plan_of({"--boot-order=network,hd", "--blank-disk", "--disk-size=3G"}, made_up_host());
    const auto fd = std::find_if(plan.fds.begin(), plan.fds.end(),
                                 [](const PlannedFd& f) { return f.purpose == FdPurpose::blank_disk; });
    REQUIRE(fd != plan.fds.end());
    CHECK(fd->size == std::uint64_t{3} << 30);
    const std::string number = std::to_string(fd->number);
    CHECK(contains(values_of(plan, "-add-fd"), "fd=" + number + ",set=" + number));
}

TEST_CASE("forwards bind to the loopback alone") {
    const Plan plan =
        plan_of({"--boot-order=network", "--port-forward=8080:80", "--ssh-port=2222"}, made_up_host());
    CHECK(values_of(plan, "-netdev") ==
          Words{"user,id=net0,hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=tcp:127.0.0.1:2222-:22"});
}

TEST_CASE("commas in paths and names are doubled wherever they stand") {
    HostFacts facts = with_netboot(made_up_host());
    facts.roms = {std::vector<RomCandidate>{efi_rom("/r,o.rom")}};
    facts.uefi.front().code = "/c,ode.fd";
    facts.uefi.front().vars_template = "/v,ars.fd";
    facts.disks = {an_image()};
    facts.iso = a_file();
    facts.netboot->bootfile = a_file();
    const Plan plan = plan_of({"--ipxe", "--firmware=uefi", "--netboot-dir=/n,b", "--bootfile=b,f",
                               "--disk=/d,k", "--iso=/i,so", "--ipxe-rom=/r,o.rom"},
                              facts);
    std::string all;
    for (const PlannedArg& arg : plan.args) {
        all += arg.by_hand.value_or(arg.value) + "\n";
    }
    for (const char* doubled : {"romfile=/r,,o.rom", "filename=/c,,ode.fd", "tftp=/n,,b", "bootfile=b,,f",
                                "filename=/d,,k", "filename=/i,,so"}) {
        CAPTURE(doubled);
        CHECK(contains(all, doubled));
    }
    CHECK(plan.fds.at(0).source == "/c,ode.fd");
    CHECK(plan.fds.at(1).source == "/v,ars.fd");
}

// Flags that together make every kind of descriptor.
Plan everything() {
    HostFacts facts = with_netboot(made_up_host());
    facts.roms = {std::vector<RomCandidate>{efi_rom("/efi.rom")}};
    facts.iso = a_file();
    return plan_of({"--ipxe", "--firmware=uefi", "--netboot-dir=/n", "--blank-disk", "--iso=/c",
                    "--graphics=vnc", "--", "-device", "foo bar"},
                   facts);
}

TEST_CASE("descriptors are numbered from the first planned one on, each used by the argv exactly once") {
    const Plan plan = everything();
    CHECK(plan.fds.size() == 12);
    int number = first_planned_fd;
    for (const PlannedFd& fd : plan.fds) {
        CHECK(fd.number == number++);
        const std::string by_option = "fd=" + std::to_string(fd.number);
        const auto uses = std::count_if(plan.args.begin(), plan.args.end(), [&](const PlannedArg& arg) {
            return contains("," + arg.value + ",", "," + by_option + ",") ||
                   contains(arg.value + ",", "/proc/self/fd/" + std::to_string(fd.number) + ",");
        });
        CHECK(uses == 1);
    }
    const auto mentions = std::count_if(plan.args.begin(), plan.args.end(), [](const PlannedArg& arg) {
        return contains("," + arg.value, ",fd=") || contains(arg.value, "/proc/self/fd/");
    });
    CHECK(mentions == static_cast<long>(plan.fds.size()));
}

TEST_CASE("what needs a descriptor has a stand-in for running by hand") {
    for (const PlannedArg& arg : everything().args) {
        if (contains("," + arg.value, ",fd=") || contains(arg.value, "/dev/fdset/") ||
            contains(arg.value, "/proc/self/fd/")) {
            CAPTURE(arg.value);
            CHECK(arg.by_hand.has_value());
        }
    }
}

TEST_CASE("ids are unique among devices and among block nodes") {
    std::set<std::string> ids;
    for (const PlannedArg& arg : everything().args) {
        for (const std::string key : {",id=", ",node-name="}) {
            const std::size_t at = arg.value.find(key);
            if (at != std::string::npos && arg.option != "-netdev") {
                const std::string id = arg.value.substr(at + 1, arg.value.find(',', at + 1) - at - 1);
                CAPTURE(arg.option, id);
                CHECK(ids.insert(id).second);
            }
        }
    }
}

TEST_CASE("the port of the HTTP server comes into the bootfile, whatever else looks like its place") {
    const Plan plan =
        plan_of({"--ipxe", "--netboot-dir=/srv/{port},x", "--ssh-port=2222"}, with_netboot(made_up_host()));
    const std::string head = "user,id=net0,tftp=/srv/{port},,x,bootfile=";
    const std::string tail = "boot.ipxe,hostfwd=tcp:127.0.0.1:2222-:22";
    CHECK(contains(argv_of(plan.args, 8080), head + "http://10.0.2.2:8080/" + tail));
    CHECK(values_of(plan, "-netdev") == Words{head + "http://10.0.2.2:{port}/" + tail});
    CHECK(contains(plan_as_shell(plan), "'" + head + tail + "'"));
}

TEST_CASE("the bytes of a ROM that were judged are the ones that are planned") {
    HostFacts facts = made_up_host();
    facts.roms.front().front().bytes =
        std::make_shared<const std::vector<std::uint8_t>>(std::vector<std::uint8_t>{0x55, 0xAA});
    const Plan plan = plan_of({"--ipxe", "--bootfile=http://h/x"}, facts);
    const auto rom = std::find_if(plan.fds.begin(), plan.fds.end(),
                                  [](const PlannedFd& fd) { return fd.purpose == FdPurpose::rom; });
    REQUIRE(rom != plan.fds.end());
    CHECK(rom->content == facts.roms.front().front().bytes);
}

TEST_CASE("every argument of the user comes last, word by word") {
    const Words argv = argv_of(everything().args, 1);
    CHECK(Words(argv.end() - 2, argv.end()) == Words{"-device", "foo bar"});
    const Words empty =
        argv_of(plan_of({"--boot-order=network", "--", "-x", "", "y"}, made_up_host()).args, 1);
    CHECK(Words(empty.end() - 3, empty.end()) == Words{"-x", "", "y"});
}

TEST_CASE("boot order and notes go from the VM into the plan") {
    const VmSpec spec = spec_of({"--ipxe", "--boot-order=cdrom"}, made_up_host());
    const Plan plan = make_plan(spec);
    CHECK(plan.boot_order == spec.boot_order);
    CHECK(plan.notes == spec.notes);
    CHECK(plan.notes.size() == 2);
}

// -- as text

TEST_CASE("the text has each argument on a line, and the reason below it") {
    const Plan plan = plan_of({"--ipxe", "--netboot-dir=/my dir"}, with_netboot(made_up_host()));
    const std::string text = plan_as_text(plan);
    CHECK(text.starts_with("/usr/bin/qemu-system-x86_64\n  -name guest=vm\n"));
    CHECK(
        contains(text, "  -netdev 'user,id=net0,tftp=/my dir,bootfile=http://10.0.2.2:{port}/boot.ipxe'\n"));
    for (const PlannedArg& arg : plan.args) {
        CAPTURE(arg.option);
        CHECK(contains(text, "  " + arg.option));
        CHECK((arg.reason.empty() || contains(text, "\n      # " + arg.reason + "\n")));
    }
    CHECK(contains(text, "\nBoot order:\n  1. network (net0): --ipxe puts network first\n"));
    CHECK(contains(text, "Before the guest runs: disable-legacy of /machine/peripheral/net0 must be on\n"));
}

TEST_CASE("the JSON tells the whole plan") {
    const Plan plan = everything();
    const nlohmann::json json = nlohmann::json::parse(plan_as_json(plan));
    CHECK(json["format"] == "vm-launch-plan");
    CHECK(json["version"] == 1);
    CHECK(json["name"] == plan.name);
    CHECK(json["program"] == plan.program.string());
    REQUIRE(json["arguments"].size() == plan.args.size());
    for (std::size_t i = 0; i < plan.args.size(); ++i) {
        CHECK(json["arguments"][i]["option"] == plan.args[i].option);
        CHECK(json["arguments"][i]["value"] == shown_value(plan.args[i]));
        CHECK(json["arguments"][i]["reason"] == plan.args[i].reason);
        CHECK(json["arguments"][i].contains("by_hand") == plan.args[i].by_hand.has_value());
    }
    REQUIRE(json["fds"].size() == plan.fds.size());
    for (std::size_t i = 0; i < plan.fds.size(); ++i) {
        CHECK(json["fds"][i]["fd"] == plan.fds[i].number);
        CHECK(json["fds"][i]["purpose"] == to_string(plan.fds[i].purpose));
    }
    CHECK(json["fds"][0]["source"] == "/usr/share/edk2/x86_64_CODE.fd");
    REQUIRE(json["boot_order"].size() == plan.boot_order.size());
    CHECK(json["boot_order"][0]["bootindex"] == 1);
    CHECK(json["boot_order"][0]["kind"] == "network");
    CHECK(json["boot_order"][0]["device"] == "net0");
    CHECK(json["notes"] == plan.notes);
    CHECK(json["checks"].is_array());
}

TEST_CASE("the JSON of a plan with checks and odd bytes") {
    Plan plan = plan_of({"--ipxe", "--bootfile=http://h/x", "--", "\xff"}, made_up_host());
    const nlohmann::json json = nlohmann::json::parse(plan_as_json(plan));
    REQUIRE(json["checks"].size() == 1);
    CHECK(json["checks"][0]["property"] == "disable-legacy");
    CHECK(json["checks"][0]["expected"] == "on");
}

// A program that stands in for QEMU and writes each of its arguments, NUL behind it, into a file.
std::filesystem::path echo_program(const Folder& folder) {
    const auto program =
        folder.write("a 'b' $c/echo,it", "#!/bin/sh\nprintf '%s\\0' \"$@\" > \"${0%/*}/words\"\n");
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    return program;
}

// The words that a shell gives to the program of a pasted plan.
Words words_by_shell(const Folder& folder, Plan plan) {
    plan.program = echo_program(folder);
    const auto script = folder.write("script", plan_as_shell(plan));
    const std::string command = "cd '" + folder.path().string() + "' && sh script";
    REQUIRE(std::system(command.c_str()) == 0);
    const std::string text = text_in(plan.program.parent_path() / "words");
    Words words;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\0', at);
        words.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return words;
}

TEST_CASE("a shell that is given the plan passes on every word as it was planned") {
    HostFacts facts = with_netboot(made_up_host());
    facts.netboot->bootfile = a_file();
    facts.disks = {an_image()};
    const std::string nasty = "/a b/'c'/\"d\"/$HOME/`e`/\\f/*/~/#g/h,i";
    const Plan plan =
        plan_of({"--ipxe", "--netboot-dir=" + nasty, "--bootfile=" + nasty, "--disk=" + nasty,
                 "--ipxe-rom=" + nasty, "--cpu=a b", "--", "", "new\nline", nasty, "&&", "|", ">x"},
                facts);
    Words expected;
    for (const PlannedArg& arg : plan.args) {
        if (arg.by_hand && arg.by_hand->empty()) {
            continue;
        }
        expected.push_back(arg.option);
        if (const std::string value = arg.by_hand.value_or(arg.value); !value.empty()) {
            expected.push_back(value);
        }
    }
    const Folder folder;
    const Words words = words_by_shell(folder, plan);
    CHECK(words == expected);
    CHECK(contains(words, "stdio,id=console"));
    CHECK_FALSE(contains(words, "-S"));
    for (const std::string& word : words) {
        CHECK_FALSE(contains(word, "fd=1"));
        CHECK_FALSE(contains(word, "fdset"));
    }
}

TEST_CASE("a pasted plan makes the files that it needs") {
    const Folder folder;
    HostFacts facts = made_up_host();
    facts.roms = {std::vector<RomCandidate>{efi_rom("/efi.rom")}};
    facts.uefi.front().vars_template = folder.write("my 'vars' $x.fd", "variables");
    const Plan plan = plan_of(
        {"--ipxe", "--firmware=uefi", "--blank-disk", "--disk-size=1M", "--bootfile=http://h/x"}, facts);
    const Words words = words_by_shell(folder, plan);
    CHECK(text_in(folder.path() / "vm-nvram.fd") == "variables");
    CHECK(std::filesystem::file_size(folder.path() / "vm-disk0.raw") == 1048576);
    CHECK(contains(words, "driver=file,filename=vm-nvram.fd,node-name=nvram-file,read-only=off"));
    CHECK(contains(words,
                   "driver=file,filename=vm-disk0.raw,node-name=disk0-file,discard=unmap,cache.no-flush=on"));
    CHECK_FALSE(contains(words, "-add-fd"));
}

}  // namespace
}  // namespace vml
