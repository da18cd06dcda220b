// Settings and facts → one VM, or every fault at once.
#include <cerrno>
#include <string>
#include <vector>

#include "launcher/host/system_facts.h"
#include "launcher/vm/identity.h"
#include "launcher/vm/memory_need.h"
#include "launcher/vm/spec.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::a_file;
using test::a_folder;
using test::an_image;
using test::bios_rom;
using test::candidate;
using test::contains;
using test::efi_rom;
using test::faults_of;
using test::made_up_host;
using test::spec_of;
using test::text_of;
using test::uefi_firmware;
using test::with_kvm;
using test::with_netboot;
using test::Words;

constexpr rom::PciId modern{0x1AF4, 0x1041};
constexpr rom::PciId transitional{0x1AF4, 0x1000};

// "1 network net0": the boot order's entries.
Words order_of(const VmSpec& spec) {
    Words order;
    for (const BootEntry& entry : spec.boot_order) {
        const char* kind = entry.kind == BootDevice::network ? "network"
                           : entry.kind == BootDevice::hd    ? "hd"
                                                             : "cdrom";
        order.push_back(std::to_string(entry.index) + " " + kind + " " + entry.device);
    }
    return order;
}

HostFacts host_with_disks() {
    HostFacts facts = made_up_host();
    facts.disks = {an_image("qcow2")};
    facts.iso = a_file();
    return facts;
}

HostFacts arm_host() {
    HostFacts facts = made_up_host();
    facts.arch = Arch::aarch64;
    facts.qemu_program = "qemu-system-aarch64";
    facts.qemu = "/usr/bin/qemu-system-aarch64";
    facts.roms = {std::vector<RomCandidate>{}};
    return facts;
}

TEST_CASE("x86-64 by default: q35, SeaBIOS, virtio, emulation where there is no KVM") {
    const VmSpec spec = spec_of({"--ipxe", "--netboot-dir=/srv/netboot"}, with_netboot(made_up_host()));
    CHECK(spec.name == "vm");
    CHECK(spec.uuid == uuid_of("vm"));
    CHECK(spec.qemu == "/usr/bin/qemu-system-x86_64");
    CHECK(spec.arch == Arch::x86_64);
    CHECK(spec.machine == "q35");
    CHECK(spec.family == MachineFamily::q35);
    CHECK(spec.accelerator == Accelerator::tcg);
    CHECK(spec.accelerator_reason == "emulation, because /dev/kvm is not there");
    CHECK(spec.cpu == "max");
    CHECK(spec.cpus == 2);
    CHECK(spec.memory_mib == 4096);
    CHECK(spec.firmware == FirmwareSpec{FirmwareMode::legacy, std::nullopt});
    CHECK(spec.nics.front().model == "virtio");
    CHECK(spec.nics.front().qemu_device == "virtio-net-pci");
    CHECK(spec.nics.front().mac == mac_of("vm", 1));
    CHECK(spec.nics.front().netboot.folder == "/srv/netboot");
    CHECK(spec.nics.front().netboot.bootfile == "boot.ipxe");
    CHECK(spec.nics.front().nat().forwards.empty());
    REQUIRE(spec.nics.front().rom);
    CHECK(spec.nics.front().rom->file == "/usr/lib/ipxe/qemu/pxe-virtio.rom");
    CHECK(spec.nics.front().rom->id == modern);
    CHECK(spec.bootindex("net0") == 1);
    CHECK(order_of(spec) == Words{"1 network net0"});
    CHECK(spec.disks.empty());
    CHECK_FALSE(spec.cdrom);
    CHECK(spec.extra_args.empty());
    CHECK(spec.notes.empty());
}

TEST_CASE("aarch64 by default: virt, UEFI") {
    const VmSpec spec = spec_of({"--boot-order=network"}, arm_host());
    CHECK(spec.arch == Arch::aarch64);
    CHECK(spec.machine == "virt");
    CHECK(spec.family == MachineFamily::virt);
    CHECK(spec.firmware.mode == FirmwareMode::uefi);
    REQUIRE(spec.firmware.uefi);
    CHECK(spec.firmware.uefi->description == "UEFI firmware for aarch64");
    CHECK_FALSE(spec.nics.front().rom);
    CHECK(spec.bootindex("net0") == 1);
}

TEST_CASE("the same settings on the same host lead to the same VM") {
    const Words flags{"--ipxe", "--name=web", "--bootfile=http://h/x"};
    CHECK(spec_of(flags, made_up_host()) == spec_of(flags, made_up_host()));
    CHECK_FALSE(spec_of(flags, made_up_host()) ==
                spec_of({"--ipxe", "--bootfile=http://h/x"}, made_up_host()));
}

TEST_CASE("iPXE puts network first, whatever the order says") {
    const HostFacts facts = host_with_disks();
    const auto order = [&](Words flags) {
        flags.insert(flags.end(), {"--disk=/d.qcow2", "--iso=/c.iso", "--bootfile=http://h/x"});
        return order_of(spec_of(flags, facts));
    };
    CHECK(order({}) == Words{"1 hd disk0", "2 cdrom cdrom0"});
    CHECK(order({"--ipxe"}) == Words{"1 network net0", "2 hd disk0", "3 cdrom cdrom0"});
    CHECK(order({"--ipxe", "--boot-order=hd"}) == Words{"1 network net0", "2 hd disk0"});
    CHECK(order({"--ipxe", "--boot-order=hd,cdrom,network"}) ==
          Words{"1 network net0", "2 hd disk0", "3 cdrom cdrom0"});
    CHECK(order({"--boot-order=hd,cdrom,network"}) ==
          Words{"1 hd disk0", "2 cdrom cdrom0", "3 network net0"});
    CHECK(order({"--boot-order=cdrom"}) == Words{"1 cdrom cdrom0"});
}

TEST_CASE("the device of an entry carries its index, and others carry none") {
    const VmSpec spec = spec_of({"--disk=/d", "--iso=/c", "--boot-order=cdrom,network"}, host_with_disks());
    CHECK(spec.bootindex("cdrom0") == 1);
    CHECK(spec.bootindex("net0") == 2);
    CHECK(spec.bootindex("disk0") == std::nullopt);
    CHECK_FALSE(spec_of({"--disk=/d"}, host_with_disks()).bootindex("net0"));
}

TEST_CASE("every entry of the order has its reason") {
    const auto reasons = [](const Words& flags) {
        Words all;
        for (const BootEntry& entry : spec_of(flags, host_with_disks()).boot_order) {
            all.push_back(entry.reason);
        }
        return all;
    };
    CHECK(reasons({"--ipxe", "--disk=/d", "--bootfile=http://h/x"}) ==
          Words{"--ipxe puts network first", "the default order"});
    CHECK(reasons({"--ipxe", "--disk=/d", "--boot-order=hd", "--bootfile=http://h/x"}) ==
          Words{"--ipxe puts network first, whatever the order says", "--boot-order says hd"});
    CHECK(reasons({"--disk=/d", "--boot-order=network,hd"}) ==
          Words{"--boot-order says network,hd", "--boot-order says network,hd"});
}

TEST_CASE("devices of the order that are not there are passed over, with a note when they were named") {
    const VmSpec named =
        spec_of({"--ipxe", "--boot-order=cdrom,hd", "--bootfile=http://h/x"}, made_up_host());
    CHECK(order_of(named) == Words{"1 network net0"});
    CHECK(named.notes == Words{"--boot-order names cdrom, but there is none: give --iso PATH",
                               "--boot-order names hd, but there is none: give --disk PATH or --blank-disk"});
    CHECK(spec_of({"--ipxe", "--bootfile=http://h/x"}, made_up_host()).notes.empty());
}

TEST_CASE("a VM that has nothing to boot from is refused") {
    for (const Words& flags : {Words{}, Words{"--boot-order=hd,cdrom"}}) {
        const std::vector<Fault> faults = faults_of(flags, made_up_host());
        REQUIRE(faults.size() == 1);
        CHECK(faults.front().code == ExitCode::settings);
        CHECK(faults.front().what == "there is nothing to boot from");
        CHECK(contains(faults.front().why, flags.empty() ? "the default order is hd" : "--boot-order says"));
        CHECK(contains(faults.front().hint, "add --ipxe"));
    }
}

TEST_CASE("every fault of settings and host comes at once, the settings' first") {
    HostFacts facts = made_up_host();
    facts.qemu.reset();
    facts.netboot = {{PathFacts::Kind::missing, ENOENT}, false, std::nullopt};
    facts.disks = {an_image()};
    facts.iso = PathFacts{PathFacts::Kind::file, EACCES};
    const std::vector<Fault> faults =
        faults_of({"--ipxe", "--machine=microvm", "--netboot-dir=/nowhere", "--iso=/secret.iso", "--disk=/d",
                   "--blank-disk", "--require-kvm", "--ssh-port=80", "--port-forward=80:80"},
                  facts);
    CHECK(text_of(faults) ==
          "--machine: 'microvm' is no machine that vm-launch knows\n"
          "  why:  iPXE finds no NIC on a microvm\n"
          "  hint: possible: q35, pc\n"
          "--ssh-port and --port-forward both take host port 80\n"
          "  hint: forward each port of the host once\n"
          "qemu-system-x86_64 is not installed\n"
          "  why:  it is in no folder of $PATH\n"
          "  hint: apt-get install qemu-system-x86\n"
          "--require-kvm: KVM cannot be used\n"
          "  why:  /dev/kvm is not there\n"
          "  hint: load the kvm module\n"
          "--netboot-dir: cannot use /nowhere\n"
          "  why:  No such file or directory\n"
          "  hint: check the path; in a container, the volume's mount\n"
          "--iso: cannot use /secret.iso\n"
          "  why:  Permission denied\n"
          "  hint: check the owner and mode, also of the folders above it\n");
    CHECK(faults.front().code == ExitCode::settings);
    CHECK(faults.back().code == ExitCode::host);
}

TEST_CASE("faults name the variable or the file that a setting came from") {
    const ReadResult read = test::read_settings({}, {{"MACHINE", "isapc"}}, test::no_file);
    const Decision decision = decide(read.settings, read.origins, made_up_host());
    CHECK(contains(text_of(std::get<std::vector<Fault>>(decision)),
                   "$MACHINE: 'isapc' is no machine that vm-launch knows"));
}

TEST_CASE("a QEMU that is not there is named with its package") {
    HostFacts facts = arm_host();
    facts.qemu.reset();
    const std::vector<Fault> faults = faults_of({"--boot-order=network"}, facts);
    CHECK(text_of(faults) ==
          "qemu-system-aarch64 is not installed\n  why:  it is in no folder of $PATH\n"
          "  hint: apt-get install qemu-system-arm\n");
    CHECK(faults.front().code == ExitCode::host);
}

// -- accelerator

TEST_CASE("auto takes KVM where it can run firmware") {
    const VmSpec spec = spec_of({"--boot-order=network"}, with_kvm(made_up_host()));
    CHECK(spec.accelerator == Accelerator::kvm);
    CHECK(spec.accelerator_reason == "this host's KVM can run firmware");
    CHECK(spec.cpu == "host");
    CHECK(spec_of({"--boot-order=network", "--cpu=qemu64"}, with_kvm(made_up_host())).cpu == "qemu64");
}

TEST_CASE("emulation can be asked for") {
    const VmSpec spec = spec_of({"--boot-order=network", "--accel=tcg"}, with_kvm(made_up_host()));
    CHECK(spec.accelerator == Accelerator::tcg);
    CHECK(spec.accelerator_reason == "--accel asks for emulation");
    CHECK(spec.cpu == "max");
}

TEST_CASE("KVM that is forced is taken, with a warning where it may not work") {
    const VmSpec doubtful = spec_of({"--boot-order=network", "--accel=kvm"}, made_up_host());
    CHECK(doubtful.accelerator == Accelerator::kvm);
    CHECK(doubtful.accelerator_reason == "--accel asks for KVM");
    CHECK(doubtful.notes == Words{"KVM may not work here: /dev/kvm is not there; --accel tcg emulates"});
    CHECK(spec_of({"--boot-order=network", "--accel=kvm"}, with_kvm(made_up_host())).notes.empty());
}

TEST_CASE("KVM that is required and cannot be used is a fault of the host") {
    const std::vector<Fault> faults = faults_of({"--boot-order=network", "--require-kvm"}, made_up_host());
    REQUIRE(faults.size() == 1);
    CHECK(faults.front() == Fault{"--require-kvm: KVM cannot be used", "/dev/kvm is not there",
                                  "load the kvm module", ExitCode::host});
    CHECK(spec_of({"--boot-order=network", "--require-kvm"}, with_kvm(made_up_host())).accelerator ==
          Accelerator::kvm);
}

TEST_CASE("requiring KVM and asking for emulation contradict each other") {
    const std::vector<Fault> faults =
        faults_of({"--boot-order=network", "--require-kvm", "--accel=tcg"}, with_kvm(made_up_host()));
    REQUIRE(faults.size() == 1);
    CHECK(faults.front().what == "--require-kvm and --accel contradict each other");
    CHECK(faults.front().code == ExitCode::settings);
}

TEST_CASE("KVM does not run another architecture's guests") {
    HostFacts facts = with_kvm(made_up_host());
    facts.roms = {std::vector<RomCandidate>{}};
    const VmSpec spec = spec_of({"--arch=aarch64", "--boot-order=network"}, facts);
    CHECK(spec.accelerator == Accelerator::tcg);
    CHECK(spec.accelerator_reason == "emulation, because KVM runs x86_64 guests only on this host");
    CHECK(spec.cpu == "max");
    CHECK(text_of(faults_of({"--arch=aarch64", "--boot-order=network", "--accel=kvm"}, facts)) ==
          "--accel: KVM cannot be used\n  why:  KVM runs x86_64 guests only on this host\n"
          "  hint: use --accel tcg\n");
    CHECK(faults_of({"--arch=aarch64", "--boot-order=network", "--require-kvm"}, facts).front().code ==
          ExitCode::host);
}

// -- machine and sizes

TEST_CASE("machines and their families") {
    const auto family = [](const std::string& machine) {
        return spec_of({"--boot-order=network", "--machine=" + machine}, made_up_host()).family;
    };
    CHECK(family("q35") == MachineFamily::q35);
    CHECK(family("pc-q35-7.2") == MachineFamily::q35);
    CHECK(family("pc") == MachineFamily::pc);
    CHECK(family("pc-i440fx-7.2") == MachineFamily::pc);
    HostFacts arm = arm_host();
    CHECK(spec_of({"--boot-order=network", "--machine=virt-7.2"}, arm).family == MachineFamily::virt);
    for (const std::string machine : {"isapc", "none", "q35,accel=kvm", "Q35", "pcx", "virtx"}) {
        CAPTURE(machine);
        CHECK(contains(text_of(faults_of({"--boot-order=network", "--machine=" + machine}, made_up_host())),
                       "is no machine that vm-launch knows"));
    }
}

TEST_CASE("a machine of the other architecture is refused") {
    CHECK(contains(text_of(faults_of({"--boot-order=network", "--machine=virt"}, made_up_host())),
                   "--machine: there is no 'virt' on x86_64\n  hint: possible: q35, pc"));
    CHECK(contains(text_of(faults_of({"--boot-order=network", "--machine=q35"}, arm_host())),
                   "--machine: there is no 'q35' on aarch64\n  hint: possible: virt"));
}

TEST_CASE("CPUs and memory as shares of the host") {
    const VmSpec half = spec_of({"--boot-order=network", "--cpus=half", "--memory=half"}, made_up_host());
    CHECK(half.cpus == 4);
    CHECK(half.memory_mib == 8000);
    CHECK_FALSE(half.translation_mib);
    const VmSpec all = spec_of({"--boot-order=network", "--cpus=max", "--memory=max"}, made_up_host());
    CHECK(all.cpus == 8);
    CHECK(all.memory_mib == largest_guest_mib({8, 1024}, 16000));
    CHECK(all.memory_mib + own_need_mib({8, 1024}, all.memory_mib) <= 16000);
    HostFacts small = made_up_host();
    small.cpus = 1;
    CHECK(spec_of({"--boot-order=network", "--cpus=half"}, small).cpus == 1);
}

TEST_CASE("a control group's limit is the whole, and leaves QEMU its own need") {
    HostFacts facts = made_up_host();
    facts.memory_mib = 400;
    facts.memory_limit_mib = 400;
    const VmSpec max = spec_of({"--boot-order=network", "--memory=max"}, facts);
    CHECK(max.translation_mib == 50);
    CHECK(max.memory_mib + own_need_mib({2, 50}, max.memory_mib) <= 400);
    CHECK(max.memory_mib > 150);
    CHECK(max.notes.empty());
    CHECK(spec_of({"--boot-order=network", "--memory=half"}, facts).memory_mib == 200);
    const VmSpec usual = spec_of({"--boot-order=network"}, facts);
    CHECK(usual.memory_mib == 4096);
    REQUIRE(usual.notes.size() == 1);
    CHECK(contains(usual.notes.front(), "--memory (default): a guest of 4096 MiB"));
    CHECK(contains(usual.notes.front(), "the control group's limit of 400 MiB"));
    CHECK(spec_of({"--boot-order=network", "--memory=200"}, facts).notes.empty());
    CHECK_FALSE(spec_of({"--boot-order=network"}, test::with_kvm(facts)).translation_mib);
    facts.memory_mib = 100;
    facts.memory_limit_mib = 100;
    const std::vector<Fault> faults = faults_of({"--boot-order=network", "--memory=max"}, facts);
    REQUIRE(faults.size() == 1);
    CHECK(faults.front().code == ExitCode::host);
    CHECK(contains(faults.front().why, "the control group's limit of 100 MiB"));
}

TEST_CASE("memory that the kernel does not promise is told before QEMU is refused it") {
    HostFacts facts = made_up_host();
    facts.memory_error = ENOMEM;
    const std::vector<Fault> faults = faults_of({"--boot-order=network", "--memory=64G"}, facts);
    REQUIRE(faults.size() == 1);
    CHECK(faults.front().code == ExitCode::host);
    CHECK(faults.front().what == "--memory: the kernel does not promise 65536 MiB to a guest");
    CHECK(contains(faults.front().hint, "--memory=max is"));
    const std::vector<Fault> small = faults_of({"--boot-order=network", "--memory=256M"}, facts);
    REQUIRE(small.size() == 1);
    CHECK(small.front().hint.starts_with("ask for less: what is promised"));
    CHECK(spec_of({"--boot-order=network", "--memory=64G", "--", "-mem-path", "/dev/hugepages"}, facts)
              .memory_mib == 65536);
    CHECK(memory_obstacle(16) == 0);
    CHECK(memory_obstacle(std::uint64_t{1} << 30) == ENOMEM);
}

TEST_CASE("two hosts give the same name other addresses; a data folder keeps them") {
    const Words flags{"--boot-order=network", "--name=web"};
    HostFacts one = made_up_host();
    one.machine_id = "aaaa";
    HostFacts two = one;
    two.machine_id = "bbbb";
    CHECK(spec_of(flags, one).uuid != spec_of(flags, two).uuid);
    CHECK(spec_of(flags, one).nics.front().mac != spec_of(flags, two).nics.front().mac);
    CHECK(spec_of(flags, one).nics.front().mac == spec_of(flags, one).nics.front().mac);
    CHECK(spec_of(flags, made_up_host()).uuid == uuid_of("web"));
    one.data = DataFacts{"/data", test::a_folder()};
    const VmSpec first = spec_of(flags, one);
    REQUIRE(first.identity);
    CHECK(first.identity->file == "/data/identity");
    two.data = DataFacts{.folder = "/data", .path = test::a_folder(), .identity = first.identity->text};
    CHECK(spec_of(flags, two).uuid == first.uuid);
    CHECK_FALSE(spec_of(flags, two).identity);
}

TEST_CASE("a container named at random keeps its addresses by its data folder") {
    const Words flags{"--boot-order=network"};
    HostFacts facts = made_up_host();
    facts.in_container = true;
    facts.random_name = true;
    facts.default_name = "0123456789ab";
    facts.data = DataFacts{"/data", test::a_folder()};
    const VmSpec first = spec_of(flags, facts);
    facts.data->identity = first.identity.value().text;
    facts.default_name = "ba9876543210";
    CHECK(spec_of(flags, facts).uuid == first.uuid);
    CHECK(spec_of(flags, facts).nics.front().mac == first.nics.front().mac);
    CHECK(spec_of(flags, facts).name == "vm");
    CHECK(spec_of(flags, facts).state_folder == "/data/vm");
    facts.data->earlier = "0123456789ab";
    CHECK(spec_of(flags, facts).state_folder == "/data/0123456789ab");
    CHECK(contains(spec_of(flags, facts).notes.back(), "/data/0123456789ab is used"));
    CHECK(spec_of(flags, facts).uuid == first.uuid);
    facts.data.reset();
    CHECK(spec_of(flags, facts).uuid != first.uuid);
    CHECK(spec_of(flags, facts).name == "ba9876543210");
}

TEST_CASE(
    "two containers of random names with a folder each are two VMs, though their image has one machine-id") {
    const Words flags{"--boot-order=network"};
    HostFacts facts = made_up_host();
    facts.in_container = true;
    facts.random_name = true;
    facts.machine_id = "aaaa";
    facts.data = DataFacts{"/data", test::a_folder()};
    facts.default_name = "0123456789ab";
    const VmSpec first = spec_of(flags, facts);
    facts.default_name = "ba9876543210";
    CHECK(spec_of(flags, facts).uuid != first.uuid);
    CHECK(spec_of(flags, facts).identity != first.identity);
}

TEST_CASE("the name comes from the setting, else from the host") {
    HostFacts facts = made_up_host();
    facts.default_name = "container-7";
    const VmSpec spec = spec_of({"--boot-order=network"}, facts);
    CHECK(spec.name == "container-7");
    CHECK(spec.uuid == uuid_of("container-7"));
    CHECK(spec.nics.front().mac == mac_of("container-7", 1));
    CHECK(spec_of({"--boot-order=network", "--name=mine"}, facts).name == "mine");
    CHECK(spec_of({"--boot-order=network", "--mac=02-00-00-00-00-01"}, facts).nics.front().mac ==
          "02:00:00:00:00:01");
}

// -- firmware

TEST_CASE("UEFI is chosen from the host's descriptors") {
    HostFacts facts = made_up_host();
    facts.roms = {std::vector<RomCandidate>{}};
    const VmSpec spec = spec_of({"--boot-order=network", "--firmware=uefi"}, facts);
    CHECK(spec.firmware == FirmwareSpec{FirmwareMode::uefi, uefi_firmware("x86_64", "pc-q35-*")});
    facts.uefi.clear();
    const std::vector<Fault> faults = faults_of({"--boot-order=network", "--firmware=uefi"}, facts);
    REQUIRE(faults.size() == 1);
    CHECK(faults.front().code == ExitCode::host);
    CHECK(faults.front().what == "no UEFI firmware for x86_64 (q35) is installed");
    CHECK(faults.front().hint == "apt-get install ovmf");
    CHECK(contains(text_of(faults_of({"--boot-order=network", "--arch=aarch64"}, facts)),
                   "apt-get install qemu-efi-aarch64"));
}

TEST_CASE("there is no legacy firmware on aarch64") {
    CHECK(contains(text_of(faults_of({"--boot-order=network", "--firmware=legacy"}, arm_host())),
                   "--firmware: aarch64 has no legacy firmware\n  hint: use --firmware uefi"));
}

// -- ROM

HostFacts host_with_roms(std::vector<RomCandidate> roms) {
    HostFacts facts = made_up_host();
    facts.roms = {std::move(roms)};
    return facts;
}

VmSpec network_boot(const HostFacts& facts, Words more = {}) {
    more.insert(more.end(), {"--ipxe", "--bootfile=http://h/x"});
    return spec_of(more, facts);
}

std::string network_fault(const HostFacts& facts, Words more = {}) {
    more.insert(more.end(), {"--ipxe", "--bootfile=http://h/x"});
    const std::vector<Fault> faults = faults_of(more, facts);
    REQUIRE(faults.size() == 1);
    CHECK(faults.front().code == ExitCode::host);
    return to_text(faults.front());
}

TEST_CASE("the ROM's own ID is what the NIC is to show") {
    CHECK(network_boot(host_with_roms({bios_rom("/r", modern)})).nics.front().rom->id == modern);
    CHECK(network_boot(host_with_roms({bios_rom("/r", transitional)})).nics.front().rom->id == transitional);
}

TEST_CASE("the first ROM that fits is taken, and those before it are passed over") {
    const VmSpec spec =
        network_boot(host_with_roms({bios_rom("/e1000.rom", {0x8086, 0x100E}),
                                     bios_rom("/virtio.rom", modern), bios_rom("/later.rom", transitional)}));
    CHECK(spec.nics.front().rom->file == "/virtio.rom");
    CHECK(contains(spec.nics.front().rom->reason,
                   "the bundled iPXE ROM: legacy firmware (SeaBIOS) on x86_64 runs it on virtio"));
}

TEST_CASE("a ROM that was asked for and does not fit is refused with what is in it") {
    const std::string text =
        network_fault(host_with_roms({bios_rom("/my.rom", {0x8086, 0x100E})}), {"--ipxe-rom=/my.rom"});
    CHECK(contains(text, "legacy firmware (SeaBIOS) on x86_64 cannot run /my.rom on virtio"));
    CHECK(contains(text, "image 1 is x86 code for 8086:100e"));
    CHECK(contains(text, "1af4:1041"));
    CHECK(contains(text, "hint: leave --ipxe-rom out (the bundled pxe-virtio.rom fits)"));
}

TEST_CASE("a ROM that was asked for and fits says so") {
    const VmSpec spec = network_boot(host_with_roms({bios_rom("/my.rom", modern)}), {"--ipxe-rom=/my.rom"});
    CHECK(spec.nics.front().rom->file == "/my.rom");
    CHECK(contains(spec.nics.front().rom->reason, "--ipxe-rom asks for this ROM"));
}

TEST_CASE("a ROM that was asked for and cannot be read is refused with the reader's own words") {
    const Fault fault{"cannot read /my.rom", "Permission denied", "chmod", ExitCode::host};
    CHECK(network_fault(host_with_roms({{"/my.rom", std::nullopt, fault}}), {"--ipxe-rom=/my.rom"}) ==
          "--ipxe-rom: " + to_text(fault));
}

TEST_CASE("a bundled ROM that cannot be read is passed over, and named when none fits") {
    const RomCandidate broken{"/broken.rom", std::nullopt,
                              Fault{"cannot read /broken.rom", "I/O error", "", ExitCode::host}};
    CHECK(network_boot(host_with_roms({broken, bios_rom("/good.rom", modern)})).nics.front().rom->file ==
          "/good.rom");
    CHECK(contains(network_fault(host_with_roms({broken})), "/broken.rom: I/O error"));
}

TEST_CASE("a host without ROMs is told which package has them and where they were looked for") {
    const std::string text = network_fault(host_with_roms({}));
    CHECK(contains(text, "no iPXE ROM that legacy firmware (SeaBIOS) on x86_64 can run on virtio"));
    CHECK(contains(text, "/usr/lib/ipxe/qemu"));
    CHECK(contains(text, "apt-get install ipxe-qemu (it has pxe-virtio.rom)"));
    CHECK(contains(network_fault(host_with_roms({}), {"--nic-model=e1000"}), "pxe-e1000.rom"));
}

TEST_CASE("UEFI runs an EFI image of its architecture and no BIOS image") {
    const VmSpec spec = network_boot(host_with_roms({efi_rom("/efi.rom")}), {"--firmware=uefi"});
    CHECK(spec.nics.front().rom->file == "/efi.rom");
    const std::string bios_only = network_fault(host_with_roms({bios_rom("/pxe.rom", modern)}),
                                                {"--firmware=uefi", "--ipxe-rom=/pxe.rom"});
    CHECK(contains(bios_only, "UEFI on x86_64 cannot boot iPXE from /pxe.rom on virtio"));
    CHECK(contains(bios_only, "an x86-64 EFI image"));
    HostFacts arm = arm_host();
    arm.roms = {std::vector<RomCandidate>{efi_rom("/efi.rom")}};
    const std::string wrong_machine = network_fault(arm);
    CHECK(contains(wrong_machine, "AArch64"));
    CHECK(contains(wrong_machine, "--no-ipxe --boot-order network"));
    arm.roms = {std::vector<RomCandidate>{efi_rom("/arm.rom", 0xAA64)}};
    CHECK(network_boot(arm).nics.front().rom->file == "/arm.rom");
}

TEST_CASE("a damaged ROM that runs all the same leaves a note") {
    rom::test::Data data = rom::test::make(rom::test::X86{.id = modern});
    data.insert(data.end(), 100, 0xFF);
    const VmSpec spec = network_boot(host_with_roms({candidate("/long.rom", data)}));
    REQUIRE(spec.nics.front().rom);
    const auto verdict =
        rom::match(*candidate("/long.rom", data).rom, {rom::Firmware::bios, Arch::x86_64, {modern}, false});
    CHECK(spec.notes == std::get<rom::Fit>(verdict).warnings);
}

TEST_CASE("legacy firmware needs a ROM for any network boot; UEFI has its own") {
    CHECK(spec_of({"--boot-order=network"}, made_up_host()).nics.front().rom);
    CHECK_FALSE(spec_of({"--boot-order=network", "--firmware=uefi"}, host_with_roms({efi_rom("/e")}))
                    .nics.front()
                    .rom);
    CHECK_FALSE(spec_of({"--disk=/d"}, host_with_disks()).nics.front().rom);
    CHECK(contains(text_of(faults_of({"--boot-order=network"}, host_with_roms({}))), "no iPXE ROM"));
}

TEST_CASE("a ROM without anything that boots by it is refused") {
    CHECK(text_of(faults_of({"--disk=/d", "--ipxe-rom=/r"}, host_with_disks())) ==
          "--ipxe-rom has no effect\n  why:  iPXE is not asked for\n  hint: add --ipxe (IPXE_ENABLE=1)\n");
}

// -- netboot folder and boot file

TEST_CASE("a boot.ipxe in the folder is the bootfile, unless another is named") {
    CHECK(
        spec_of({"--ipxe", "--netboot-dir=/n"}, with_netboot(made_up_host())).nics.front().netboot.bootfile ==
        "boot.ipxe");
    HostFacts facts = with_netboot(made_up_host());
    facts.netboot->bootfile = a_file();
    const VmSpec named = spec_of({"--ipxe", "--netboot-dir=/n", "--bootfile=other.ipxe"}, facts);
    CHECK(named.nics.front().netboot.bootfile == "other.ipxe");
    CHECK(named.notes.empty());
    const VmSpec none = spec_of({"--ipxe", "--netboot-dir=/n"}, with_netboot(made_up_host(), false));
    CHECK(none.nics.front().netboot.bootfile == std::nullopt);
    REQUIRE(none.notes.size() == 1);
    CHECK(contains(none.notes.front(), "/n holds no boot.ipxe and no --bootfile is given"));
}

TEST_CASE("the folder that is served is absolute and plain") {
    const VmSpec spec =
        spec_of({"--ipxe", "--netboot-dir=/srv/./a/../netboot"}, with_netboot(made_up_host()));
    CHECK(spec.nics.front().netboot.folder == "/srv/netboot");
    CHECK(spec_of({"--ipxe", "--netboot-dir=netboot"}, with_netboot(made_up_host()))
              .nics.front()
              .netboot.folder == "/home/user/netboot");
}

TEST_CASE("a bootfile needs a folder, unless it is a URL") {
    CHECK(text_of(faults_of({"--ipxe", "--bootfile=x.ipxe"}, made_up_host())) ==
          "--bootfile: there is no folder to serve 'x.ipxe' from\n"
          "  hint: add --netboot-dir DIR (NETBOOT_DIR), or give a URL\n");
    CHECK(spec_of({"--ipxe", "--bootfile=http://h/x.ipxe"}, made_up_host()).nics.front().netboot.bootfile ==
          "http://h/x.ipxe");
    const VmSpec nothing = spec_of({"--ipxe"}, made_up_host());
    REQUIRE(nothing.notes.size() == 1);
    CHECK(contains(nothing.notes.front(), "QEMU's own DHCP will name nothing to boot"));
}

TEST_CASE("folders and files that cannot be served are faults of the host") {
    struct Case {
        PathFacts facts;
        std::string why;
    };
    for (const Case& bad : {Case{{PathFacts::Kind::missing, ENOENT}, "No such file or directory"},
                            Case{{PathFacts::Kind::missing, EACCES}, "Permission denied"},
                            Case{{PathFacts::Kind::file, 0}, "it is no folder"},
                            Case{{PathFacts::Kind::other, 0}, "it is no folder"},
                            Case{{PathFacts::Kind::folder, EACCES}, "Permission denied"}}) {
        HostFacts facts = made_up_host();
        facts.netboot = NetbootFacts{bad.facts, true, std::nullopt};
        const std::vector<Fault> faults = faults_of({"--ipxe", "--netboot-dir=/n"}, facts);
        REQUIRE(faults.size() == 1);
        CHECK(faults.front().what == "--netboot-dir: cannot use /n");
        CHECK(faults.front().why == bad.why);
        CHECK(faults.front().code == ExitCode::host);
    }
    HostFacts facts = with_netboot(made_up_host());
    facts.netboot->bootfile = PathFacts{PathFacts::Kind::missing, ENOENT};
    CHECK(contains(text_of(faults_of({"--ipxe", "--netboot-dir=/n", "--bootfile=sub/x"}, facts)),
                   "--bootfile: cannot use /n/sub/x\n  why:  No such file or directory"));
}

// -- forwards

TEST_CASE("the ssh port is one more forward") {
    using Forwards = std::vector<PortForward>;
    CHECK(spec_of({"--boot-order=network", "--port-forward=8080:80", "--ssh-port=2222"}, made_up_host())
              .nics.front()
              .nat()
              .forwards ==
          Forwards{{8080, 80, PortProtocol::tcp, "127.0.0.1"}, {2222, 22, PortProtocol::tcp, "127.0.0.1"}});
    CHECK(contains(text_of(faults_of({"--boot-order=network", "--port-forward=2222:80", "--ssh-port=2222"},
                                     made_up_host())),
                   "--ssh-port and --port-forward both take host port 2222"));
}

TEST_CASE("a port that QEMU cannot have is a fault of the host, told with its setting and its owner") {
    const Words flags{"--boot-order=network", "--port-forward=udp:69:69,10.9.9.9:8080:80", "--ssh-port=2222",
                      "--graphics=vnc"};
    HostFacts facts = made_up_host();
    facts.port_obstacles = {{PortProtocol::tcp, "127.0.0.1", 2222, EADDRINUSE, "sshd (process 7)"},
                            {PortProtocol::udp, "127.0.0.1", 69, EACCES, ""},
                            {PortProtocol::tcp, "10.9.9.9", 8080, EADDRNOTAVAIL, ""},
                            {PortProtocol::tcp, "127.0.0.1", 5900, EADDRINUSE, ""}};
    const std::vector<Fault> faults = faults_of(flags, facts);
    REQUIRE(faults.size() == 4);
    CHECK(faults.at(0).code == ExitCode::host);
    CHECK(faults.at(0).what == "--ssh-port: QEMU cannot listen on tcp port 2222 of 127.0.0.1");
    CHECK(faults.at(0).why == "Address already in use: sshd (process 7) has it");
    CHECK(contains(faults.at(1).what, "--port-forward: QEMU cannot listen on udp port 69"));
    CHECK(contains(faults.at(1).hint, "ip_unprivileged_port_start=69"));
    CHECK(contains(faults.at(2).hint, "an address of this host"));
    CHECK(contains(faults.at(3).what, "--vnc-port"));
}

TEST_CASE("what speaks of a network boot alone means one") {
    for (const std::string flag : {"--netboot-dir=/srv", "--bootfile=http://h/x", "--ipxe-rom=/r.rom"}) {
        CAPTURE(flag);
        CHECK(test::read_flags({flag}).settings.ipxe);
        CHECK(test::read_flags({flag}).origins.at("ipxe") == flag.substr(0, flag.find('=')));
        for (const std::string other :
             {"--no-ipxe", "--disk=/d", "--boot-order=hd", "--iso=/i", "--blank-disk"}) {
            CAPTURE(other);
            CHECK_FALSE(test::read_flags({flag, other}).settings.ipxe);
        }
    }
    CHECK(test::read_flags({"--pxe=v4"}).settings.boot_order == std::vector{BootDevice::network});
    CHECK_FALSE(test::read_flags({"--network=nat"}).settings.ipxe);
    CHECK(contains(spec_of({"--bootfile=http://h/x"}, made_up_host()).boot_order.front().device, "net0"));
}

// -- disks

TEST_CASE("disk images, a blank disk and a CD-ROM") {
    const VmSpec images = spec_of({"--disk=/images/./d.qcow2", "--iso=/c.iso"}, host_with_disks());
    REQUIRE(images.disks.size() == 1);
    CHECK(images.disks[0].image == "/images/d.qcow2");
    CHECK(images.disks[0].format == "qcow2");
    CHECK(images.bootindex("disk0") == 1);
    CHECK(images.disks[0].bus == DiskBus::virtio);
    CHECK(images.disks[0].cache == DiskCache::writeback);
    CHECK(images.cdrom == CdromSpec{"/c.iso"});
    const VmSpec blank =
        spec_of({"--boot-order=network,hd", "--blank-disk", "--disk-size=3G"}, made_up_host());
    REQUIRE(blank.disks.size() == 1);
    CHECK_FALSE(blank.disks[0].image);
    CHECK_FALSE(blank.disks[0].kept);
    CHECK(blank.disks[0].format == "raw");
    CHECK(blank.disks[0].size == std::uint64_t{3} << 30);
    CHECK(blank.bootindex("disk0") == 2);
    CHECK(blank.disks[0].cache == DiskCache::unsafe);
}

TEST_CASE("several disks boot one after the other, the blank one last") {
    HostFacts facts = made_up_host();
    facts.disks = {an_image("qcow2"), an_image()};
    const VmSpec spec = spec_of({"--disk=/a", "--disk=/b", "--blank-disk", "--disk-bus=nvme",
                                 "--disk-cache=none", "--boot-order=hd,network"},
                                facts);
    CHECK(order_of(spec) == Words{"1 hd disk0", "2 hd disk1", "3 hd disk2", "4 network net0"});
    for (const DiskSpec& disk : spec.disks) {
        CHECK(disk.bus == DiskBus::nvme);
        CHECK(disk.cache == DiskCache::none);
    }
    CHECK(spec.disks[1].format == "raw");
}

TEST_CASE("what qemu-img says of an image decides, and the user's word before it") {
    const auto format = [](const ImageFacts& image, const Words& more = {}) {
        HostFacts facts = made_up_host();
        facts.disks = {{a_file(), image}};
        facts.disks[0].content.magic = "qcow2";
        Words flags{"--disk=/d"};
        flags.insert(flags.end(), more.begin(), more.end());
        const Decision decision = test::decide_flags(flags, facts);
        const auto* spec = std::get_if<VmSpec>(&decision);
        return spec != nullptr ? spec->disks.at(0).format : text_of(std::get<std::vector<Fault>>(decision));
    };
    CHECK(format({.format = "qcow2"}) == "qcow2");
    CHECK(format({.format = "raw"}) == "raw");
    CHECK(format({.format = "vmdk"}) ==
          "--disk: cannot use /d\n  why:  it is a vmdk image, neither raw nor qcow2\n"
          "  hint: --disk-format vmdk uses it as it is, by QEMU's driver; or convert it: qemu-img convert -O "
          "qcow2 /d NEW.qcow2\n");
    for (const ImageFacts& claim : {ImageFacts{.format = "qcow2", .backing_file = "/etc/shadow"},
                                    ImageFacts{.format = "qcow2", .data_file = "/etc/shadow"}}) {
        const std::string refusal = format(claim);
        CHECK(contains(refusal, "could have written that to read files of this host"));
        CHECK(contains(refusal, "/etc/shadow"));
        CHECK(contains(refusal, "--disk-format qcow2"));
        CHECK(format(claim, {"--disk-format=qcow2"}) == "qcow2");
        CHECK(format(claim, {"--disk-format=raw"}) == "raw");
    }
    const Fault unknown{"the format of /d cannot be told", "broken", "say it", ExitCode::host};
    CHECK(format({.fault = unknown}) ==
          "--disk: cannot use /d\n  why:  the format of /d cannot be told: broken\n  hint: say it\n");
}

TEST_CASE("SATA disks are q35's, which has six ports; pc has IDE, with four places") {
    HostFacts facts = made_up_host();
    facts.disks = std::vector<DiskFacts>(6, an_image());
    Words flags{"--disk-bus=sata"};
    for (int i = 0; i < 6; ++i) {
        flags.push_back("--disk=/d" + std::to_string(i));
    }
    CHECK(spec_of(flags, facts).disks.size() == 6);
    flags.emplace_back("--blank-disk");
    CHECK(contains(text_of(faults_of(flags, facts)), "--disk-bus: q35 has 6 SATA ports"));
    flags.emplace_back("--machine=pc");
    CHECK(contains(text_of(faults_of(flags, facts)), "--disk-bus: pc has 4 places for IDE devices"));
    CHECK(spec_of({"--disk-bus=ide", "--machine=pc", "--blank-disk", "--boot-order=hd"}, made_up_host())
              .disks.front()
              .bus == DiskBus::sata);
    CHECK(contains(text_of(faults_of({"--disk-bus=sata", "--arch=aarch64", "--blank-disk"}, made_up_host())),
                   "--disk-bus: virt has neither SATA nor IDE"));
}

TEST_CASE("a disk that cannot be written says what would mend it") {
    HostFacts facts = made_up_host();
    facts.disks = {{PathFacts{PathFacts::Kind::file, EROFS}, std::nullopt}};
    CHECK(text_of(faults_of({"--disk=/d"}, facts)) ==
          "--disk: cannot use /d\n  why:  Read-only file system\n  hint: mount it writable\n");
    facts.disks = {{a_folder(), std::nullopt}};
    CHECK(contains(text_of(faults_of({"--disk=/d"}, facts)), "it is no file\n  hint: name a file"));
}

TEST_CASE("what is kept is kept in a folder of the VM's name") {
    HostFacts facts = made_up_host();
    facts.data = test::data_folder();
    const Words flags{"--boot-order=hd", "--blank-disk", "--name=box"};
    const VmSpec spec = spec_of(flags, facts);
    CHECK(spec.state_folder == "/srv/data/box");
    CHECK(spec.disks.at(0).kept == "/srv/data/box/blank.raw");
    CHECK(spec.disks.at(0).cache == DiskCache::writeback);
    const VmSpec not_kept = spec_of({"--boot-order=hd", "--blank-disk", "--no-persist"}, facts);
    CHECK_FALSE(not_kept.state_folder);
    CHECK_FALSE(not_kept.disks.at(0).kept);
    CHECK(contains(text_of(faults_of({"--boot-order=hd", "--blank-disk", "--persist"}, made_up_host())),
                   "--persist: there is no folder to keep things in"));
    facts.data->path = {PathFacts::Kind::missing, ENOENT};
    CHECK(contains(text_of(faults_of({"--boot-order=hd", "--blank-disk", "--data-dir=/srv/data"}, facts)),
                   "--data-dir: cannot use /srv/data\n  why:  No such file or directory"));
}

Words first_order_of(VmSpec spec) {
    spec.boot_order = spec.first_boot;
    return order_of(spec);
}

TEST_CASE("--boot-once: the first boot's order, and other numbers for the later one") {
    const Words flags{"--ipxe", "--bootfile=http://h/x", "--blank-disk", "--boot-once=network"};
    const VmSpec spec = spec_of(flags, made_up_host());
    CHECK(first_order_of(spec) == Words{"1 network net0"});
    CHECK(order_of(spec) == Words{"101 hd disk0"});
    CHECK(spec.bootindex("net0") == 1);
    CHECK(spec.nics.at(0).rom);
    CHECK_FALSE(spec.bootindex("disk0"));
    CHECK(spec.first_boot.at(0).reason == "--ipxe puts network first");

    const VmSpec both =
        spec_of({"--boot-once=network,hd", "--boot-order=hd,network", "--disk=/d"}, host_with_disks());
    CHECK(first_order_of(both) == Words{"1 network net0", "2 hd disk0"});
    CHECK(order_of(both) == Words{"101 hd disk0", "102 network net0"});
    CHECK(both.nics.at(0).rom);  // SeaBIOS boots a NIC by its ROM alone
    CHECK(both.boot_order.at(0).reason == "--boot-order says hd,network");
    CHECK(both.first_boot.at(0).reason == "--boot-once says network,hd");
}

TEST_CASE("--boot-once that an earlier run carried out is over") {
    HostFacts facts = made_up_host();
    facts.data = test::data_folder(true);
    const Words flags{"--ipxe", "--bootfile=http://h/x", "--blank-disk", "--boot-once=network"};
    const VmSpec spec = spec_of(flags, facts);
    CHECK(spec.first_boot.empty());
    CHECK(order_of(spec) == Words{"1 hd disk0"});
    CHECK(contains(spec.notes.back(), "/srv/data/vm/boot-once.done"));
    // Where nothing is kept, nothing was kept.
    Words again = flags;
    again.emplace_back("--no-persist");
    CHECK(first_order_of(spec_of(again, facts)) == Words{"1 network net0"});
}

TEST_CASE("--boot-once of a device that is not there") {
    CHECK(contains(text_of(faults_of({"--boot-once=cdrom", "--disk=/d"},
                                     [] {
                                         HostFacts facts = made_up_host();
                                         facts.disks = {an_image()};
                                         return facts;
                                     }())),
                   "--boot-once: there is no such device"));
}

TEST_CASE("the user's own arguments are kept as they are") {
    CHECK(spec_of({"--boot-order=network", "--", "-device", "a b,c", ""}, made_up_host()).extra_args ==
          Words{"-device", "a b,c", ""});
}

}  // namespace
}  // namespace vml
