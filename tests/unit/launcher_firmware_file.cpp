// Which file the firmware's own client is given, by firmware, client and what the folder holds.
#include <string>
#include <vector>

#include <sys/stat.h>

#include "launcher/host/boot_programs.h"
#include "launcher/plan/plan_text.h"
#include "launcher/vm/boot_sources.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::contains;
using test::made_up_host;
using test::plan_of;
using test::spec_of;
using test::with_netboot;
using test::Words;

const BootProgram own_snponly{"/srv/n/snponly.efi", "snponly.efi", true, false, true, "/srv/n/snponly.efi"};
const BootProgram bundled{"/usr/lib/ipxe/ipxe.efi", "ipxe.efi", true, false, false, "/boot/ipxe.efi"};
const BootProgram shim{"/srv/n/shimx64.efi", "shimx64.efi", false, true, true, "/srv/n/shimx64.efi"};
const BootProgram own_grub{"/srv/n/grubx64.efi", "grubx64.efi", false, false, true, "/srv/n/grubx64.efi"};

const Words by_uefi{"--firmware=uefi", "--no-ipxe", "--netboot-dir=/srv/n"};

HostFacts host_that_has(std::vector<BootProgram> programs, bool has_boot_ipxe = true) {
    HostFacts facts = with_netboot(made_up_host(), has_boot_ipxe);
    facts.boot_programs = std::move(programs);
    UefiFirmware secure = facts.uefi.front();
    secure.description = "Secure Boot";
    secure.features = {"secure-boot", "enrolled-keys", "requires-smm"};
    facts.uefi.push_back(secure);
    facts.swtpm = "/usr/bin/swtpm";
    return facts;
}

Words flags_and(Words flags, const Words& more) {
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
}

Words by_secure_boot() {
    Words flags = by_uefi;
    flags.front() = "--firmware=secure";
    return flags;
}

// The netdev that QEMU gets, and what its iPXE is offered.
Words handed_out(const Words& flags, const HostFacts& facts) {
    const Plan plan = plan_of(flags, facts);
    std::string netdev;
    for (const PlannedArg& arg : plan.args) {
        netdev = arg.option == "-netdev" ? shown_value(arg) : netdev;
    }
    return {netdev, plan.offer ? shown_bootfile(*plan.offer) : "nothing"};
}

std::string text_of_notes(const VmSpec& spec) {
    std::string text;
    for (const std::string& note : spec.notes) {
        text += note + "\n";
    }
    return text;
}

std::string first_fault_of(const Words& flags, const HostFacts& facts) {
    return to_text(test::faults_of(flags, facts).front());
}

TEST_CASE("UEFI's PXE gets an iPXE program by TFTP, and iPXE the script by HTTP") {
    const std::string script = "http://10.0.2.2:{port}/boot.ipxe";
    const Words own{"user,id=net0,tftp=/srv/n,bootfile=snponly.efi", script};
    CHECK(handed_out(by_uefi, host_that_has({own_snponly, bundled})) == own);
    CHECK(handed_out(flags_and(by_uefi, {"--pxe=v4"}), host_that_has({own_snponly})) == own);
    CHECK(handed_out({"--firmware=uefi", "--pxe=v4", "--netboot-dir=/srv/n"}, host_that_has({own_snponly})) ==
          own);
    CHECK(handed_out(by_uefi, host_that_has({bundled})) ==
          Words{"user,id=net0,tftp=/usr/lib/ipxe,bootfile=ipxe.efi", script});
    const VmSpec spec = spec_of(by_uefi, host_that_has({bundled}));
    CHECK(spec.nics.front().netboot.linked == std::vector<std::filesystem::path>{"/boot/ipxe.efi"});
    CHECK_FALSE(spec.nics.front().repeat_offer);
    const std::string by_hand = plan_as_shell(make_plan(spec));
    CHECK(contains(by_hand, "dhcp && chain boot.ipxe"));
    CHECK(contains(by_hand, "ln -sfn /srv/n/* "));
    CHECK(contains(by_hand, "ln -sfn /usr/lib/ipxe/ipxe.efi "));
    CHECK(contains(by_hand, "-served,bootfile=ipxe.efi"));
    CHECK(contains(plan_as_shell(plan_of(by_uefi, host_that_has({own_snponly}))),
                   "tftp=/srv/n,bootfile=snponly.efi"));
    CHECK(contains(plan_as_shell(plan_of(flags_and(by_uefi, {"--pxe=http4"}), host_that_has({bundled}))),
                   "# by hand nobody serves HTTP"));
}

TEST_CASE("UEFI's HTTP boot gets an iPXE program and all else by HTTP") {
    const Words flags = flags_and(by_uefi, {"--pxe=http4"});
    const std::string script = "http://10.0.2.2:{port}/boot.ipxe";
    CHECK(handed_out(flags, host_that_has({own_snponly})) ==
          Words{"user,id=net0,bootfile=http://10.0.2.2:{port}/snponly.efi", script});
    CHECK(handed_out(flags, host_that_has({bundled})) ==
          Words{"user,id=net0,bootfile=http://10.0.2.2:{port}/ipxe.efi", script});
    CHECK(spec_of(flags, host_that_has({bundled})).nics.front().netboot.files ==
          std::vector<ServedFile>{{"ipxe.efi", "/boot/ipxe.efi"}});
}

TEST_CASE("a script or a kernel of its own, and a URL that PXE cannot fetch, come by iPXE too") {
    HostFacts facts = host_that_has({bundled});
    facts.netboot.reset();
    facts.offered.kernel = OfferedFile{test::a_file(), "/boot/vmlinuz", 0, 4096};
    const Words flags{"--firmware=uefi", "--no-ipxe"};
    const std::string tftp = "user,id=net0,tftp=/usr/lib/ipxe,bootfile=ipxe.efi";
    CHECK(handed_out(flags_and(flags, {"--kernel=/boot/vmlinuz"}), facts) ==
          Words{tftp, "http://10.0.2.2:{port}/kernel.ipxe"});
    CHECK(handed_out(flags_and(flags, {"--script=http://h/x.ipxe"}), facts) ==
          Words{tftp, "http://h/x.ipxe"});
    CHECK(handed_out(flags_and(flags, {"--bootfile=http://h/x.efi"}), facts) ==
          Words{tftp, "http://h/x.efi"});
    CHECK(handed_out(flags_and(flags, {"--bootfile=http://h/x.efi", "--pxe=http4"}), facts) ==
          Words{"user,id=net0,bootfile=http://h/x.efi", "nothing"});
    CHECK(handed_out(flags_and(flags, {"--script=http://h/x.ipxe", "--pxe=http4"}), facts) ==
          Words{"user,id=net0,bootfile=http://10.0.2.2:{port}/ipxe.efi", "http://h/x.ipxe"});
}

TEST_CASE("a boot program that is named or known is the firmware's own") {
    HostFacts facts = host_that_has({own_grub}, false);
    CHECK(handed_out(by_uefi, facts) == Words{"user,id=net0,tftp=/srv/n,bootfile=grubx64.efi", "nothing"});
    facts.netboot->bootfile = test::a_file();
    const Words named = flags_and(by_uefi, {"--bootfile=my.efi"});
    CHECK(handed_out(named, facts) == Words{"user,id=net0,tftp=/srv/n,bootfile=my.efi", "nothing"});
    CHECK(handed_out(flags_and(named, {"--pxe=http4"}), facts).front() ==
          "user,id=net0,tftp=/srv/n,bootfile=http://10.0.2.2:{port}/my.efi");
}

TEST_CASE("Secure Boot gets the folder's signed chain, and a folder without is told of") {
    const Words by_shim{"user,id=net0,tftp=/srv/n,bootfile=shimx64.efi", "nothing"};
    CHECK(handed_out(by_secure_boot(), host_that_has({own_snponly, shim}, false)) == by_shim);
    CHECK(handed_out(by_secure_boot(), host_that_has({own_snponly, bundled, shim})) == by_shim);
    BootProgram signed_ipxe = own_snponly;
    signed_ipxe.is_signed = true;
    CHECK(handed_out(by_secure_boot(), host_that_has({signed_ipxe, shim})).front() ==
          "user,id=net0,tftp=/srv/n,bootfile=snponly.efi");
    const std::string none = first_fault_of(by_secure_boot(), host_that_has({own_snponly, own_grub}, false));
    CHECK(contains(none, "/srv/n holds nothing that Secure Boot lets the firmware run"));
    CHECK(contains(none, "shimx64.efi and grubx64.efi"));
    HostFacts facts = host_that_has({bundled});
    facts.netboot.reset();
    CHECK(contains(first_fault_of({"--firmware=secure", "--no-ipxe", "--script=http://h/x.ipxe"}, facts),
                   "only iPXE could boot it, and Secure Boot lets the firmware run none here"));
}

TEST_CASE("what cannot be given is refused before the start") {
    CHECK(contains(first_fault_of(by_uefi, host_that_has({})),
                   "there is no iPXE program for x86_64 that it could load"));
    CHECK(contains(first_fault_of(by_uefi, host_that_has({})), "apt-get install ipxe"));
    BootProgram locked = own_snponly;
    locked.http_error = EACCES;
    CHECK(contains(first_fault_of(flags_and(by_uefi, {"--pxe=http4"}), host_that_has({locked})),
                   "/srv/n/snponly.efi cannot be given to the firmware"));
    CHECK(contains(first_fault_of(flags_and(by_uefi, {"--pxe=http6"}), host_that_has({own_snponly})),
                   "use --pxe http4"));
    CHECK(contains(first_fault_of(flags_and(by_uefi, {"--pxe=v6"}), host_that_has({own_snponly})),
                   "use --pxe v4"));
    CHECK(contains(first_fault_of({"--no-ipxe", "--netboot-dir=/srv/n"}, host_that_has({})),
                   "SeaBIOS has no network client of its own"));
    CHECK(contains(first_fault_of({"--no-ipxe", "--script=http://h/x"}, made_up_host()), "SeaBIOS has no"));
    CHECK(contains(first_fault_of(flags_and(by_uefi, {"--no-boot-watch"}), host_that_has({own_snponly})),
                   "cannot be offered to the guest's iPXE"));
}

TEST_CASE("where a disk boots too, a network that cannot is passed over") {
    const Words disk_first = flags_and(by_uefi, {"--disk=/d", "--boot-order=hd,network"});
    const auto note_of = [](const Words& flags, const HostFacts& facts) {
        const VmSpec spec = spec_of(flags, facts);
        CHECK_FALSE(spec.nics.front().netboot.bootfile);
        CHECK_FALSE(spec.nics.front().netboot.http);
        CHECK(handed_out(flags, facts).back() == "nothing");
        return text_of_notes(spec);
    };
    HostFacts none = host_that_has({});
    none.disks = {test::an_image()};
    CHECK(contains(note_of(disk_first, none), "nothing boots from the network"));
    CHECK(contains(note_of(disk_first, none), "there is no iPXE program for x86_64"));
    HostFacts empty = host_that_has({}, false);
    empty.disks = none.disks;
    Words secure = disk_first;
    secure.front() = "--firmware=secure";
    CHECK(contains(note_of(secure, empty), "/srv/n holds nothing that Secure Boot lets"));
    HostFacts served = host_that_has({own_snponly});
    served.disks = none.disks;
    CHECK(contains(note_of(flags_and(disk_first, {"--pxe=v6"}), served), "use --pxe v4"));
    CHECK(contains(first_fault_of(flags_and(disk_first, {"--script=http://h/x.ipxe"}), none),
                   "there is no iPXE program for x86_64"));
    CHECK(contains(first_fault_of(flags_and(by_uefi, {"--boot-order=network", "--disk=/d"}), none),
                   "there is no iPXE program for x86_64"));
}

TEST_CASE("a distribution's iPXE in a subfolder is served from there") {
    const BootProgram fedora{
        "/usr/share/ipxe/x86_64-efi/snponly.efi", "x86_64-efi/snponly.efi", true, false, false,
        "/usr/share/ipxe/x86_64-efi/snponly.efi"};
    CHECK(handed_out(by_uefi, host_that_has({fedora})).front() ==
          "user,id=net0,tftp=/usr/share/ipxe/x86_64-efi,bootfile=snponly.efi");
}

TEST_CASE("of the programs one that can be read is taken, else the first is told of") {
    BootProgram locked = own_snponly;
    locked.http_error = EACCES;
    const Words by_http = flags_and(by_uefi, {"--pxe=http4"});
    CHECK(contains(handed_out(by_http, host_that_has({locked, bundled})).front(), "/ipxe.efi"));
    CHECK(contains(handed_out(by_uefi, host_that_has({locked, bundled})).front(), "bootfile=snponly.efi"));
    BootProgram grub = own_grub;
    grub.http_error = EACCES;
    CHECK(contains(first_fault_of(by_http, host_that_has({grub}, false)),
                   "/srv/n/grubx64.efi cannot be given to the firmware"));
}

TEST_CASE("what boots is served though its link leads out of the folder") {
    const Words by_http = flags_and(by_uefi, {"--pxe=http4"});
    HostFacts facts = host_that_has({own_snponly});
    facts.boot_programs.front().real = "/opt/snponly.efi";
    facts.netboot->outside_links = {{"boot.ipxe", "/opt/boot.ipxe", true},
                                    {"snponly.efi", "/opt/snponly.efi", true},
                                    {"vmlinuz", "/boot/vmlinuz", true}};
    const VmSpec spec = spec_of(by_http, facts);
    CHECK(spec.nics.front().netboot.files ==
          std::vector<ServedFile>{{"boot.ipxe", "/opt/boot.ipxe"}, {"snponly.efi", "/opt/snponly.efi"}});
    CHECK(contains(text_of_notes(spec), "vmlinuz -> /boot/vmlinuz leads out"));
    CHECK_FALSE(contains(text_of_notes(spec), "more"));
    CHECK(spec_of(by_uefi, facts).nics.front().netboot.files ==
          std::vector<ServedFile>{{"boot.ipxe", "/opt/boot.ipxe"}});
    HostFacts media = host_that_has(
        {{"/srv/n/EFI/BOOT/BOOTX64.EFI", "EFI/BOOT/BOOTX64.EFI", false, false, true, "/opt/x.efi"}}, false);
    CHECK(spec_of(by_uefi, media).nics.front().netboot.linked ==
          std::vector<std::filesystem::path>{"/opt/x.efi"});
    CHECK(spec_of(by_http, media).nics.front().netboot.files ==
          std::vector<ServedFile>{{"EFI/BOOT/BOOTX64.EFI", "/opt/x.efi"}});
}

TEST_CASE("a URL that HTTP boot cannot fetch or run goes by iPXE") {
    HostFacts facts = host_that_has({bundled});
    facts.netboot.reset();
    const Words flags{"--firmware=uefi", "--no-ipxe", "--pxe=http4"};
    for (const std::string url : {"tftp://h/x.efi", "http://h/x.ipxe"}) {
        CHECK(handed_out(flags_and(flags, {"--bootfile=" + url}), facts) ==
              Words{"user,id=net0,bootfile=http://10.0.2.2:{port}/ipxe.efi", url});
    }
}

TEST_CASE("a folder that has iPXE alone, and iPXE by name beside its script, are told of") {
    CHECK(contains(text_of_notes(spec_of(by_uefi, host_that_has({own_snponly}, false))),
                   "/srv/n holds snponly.efi and no boot.ipxe that it could run"));
    HostFacts facts = host_that_has({own_snponly});
    facts.netboot->bootfile = test::a_file();
    facts.netboot->script = false;  // what is named
    CHECK(contains(text_of_notes(spec_of(flags_and(by_uefi, {"--bootfile=snponly.efi"}), facts)),
                   "without --bootfile it gets boot.ipxe"));
}

TEST_CASE("a script for the firmware's client puts the network before what else boots") {
    const Words flags{"--firmware=uefi", "--pxe=v4", "--script=http://h/x.ipxe", "--disk=/d"};
    const Settings settings = test::read_flags(flags).settings;
    CHECK_FALSE(settings.ipxe);
    CHECK(settings.boot_order == std::vector{BootDevice::network, BootDevice::hd});
    CHECK_FALSE(test::read_flags({"--pxe=v4", "--netboot-dir=/n", "--disk=/d"}).settings.boot_order);
    CHECK(test::read_flags({"--netboot-dir=/n", "--no-ipxe"}).settings.boot_order ==
          std::vector{BootDevice::network});
}

TEST_CASE("AArch64's firmware gets AArch64's program") {
    HostFacts facts = host_that_has({{"/usr/lib/ipxe/ipxe-arm64.efi", "ipxe-arm64.efi", true, false, false,
                                      "/usr/lib/ipxe/ipxe-arm64.efi"}});
    facts.qemu_program = "qemu-system-aarch64";
    CHECK(
        handed_out({"--arch=aarch64", "--no-ipxe", "--netboot-dir=/srv/n"}, facts) ==
        Words{"user,id=net0,tftp=/usr/lib/ipxe,bootfile=ipxe-arm64.efi", "http://10.0.2.2:{port}/boot.ipxe"});
    facts.boot_programs.clear();
    CHECK(contains(first_fault_of({"--arch=aarch64", "--no-ipxe", "--netboot-dir=/srv/n"}, facts),
                   "ipxe-arm64.efi"));
}

// An EFI application's headers (UEFI 2.10, 2.1.1), as far as they are looked at.
std::string efi_application(unsigned machine, bool is_signed = false) {
    using namespace std::string_literals;
    std::string pe = "MZ" + std::string(0x3A, '\0') + "\x40\0\0\0PE\0\0"s;
    pe += static_cast<char>(machine & 0xFFU);
    pe += static_cast<char>(machine >> 8U);
    pe += std::string(18 + 68, '\0') + '\x0A' + std::string(240, '\0');
    if (is_signed) {
        pe.at(0x40 + 24 + 108) = 16;
        pe.at(0x40 + 24 + 148) = 8;
    }
    return pe;
}

TEST_CASE("the folder's programs are found by name, for the VM's architecture alone") {
    const test::Folder folder;
    folder.write("snponly.efi", efi_application(0xAA64));
    folder.write("ipxe.efi", efi_application(0x8664));
    folder.write("grubx64.efi", efi_application(0x8664));
    folder.write("shimx64.efi", efi_application(0x8664, true));
    folder.write("bootx64.efi", "no program");
    REQUIRE(::mkfifo((folder.path() / "ipxe-x86_64.efi").c_str(), 0600) == 0);  // nobody writes to it
    const auto found = [&](const Words& flags) {
        Words names;
        const ReadResult read =
            test::read_flags(flags_and(flags, {"--netboot-dir=" + folder.path().string()}));
        const Arch arch = arch_of(read.settings, Arch::x86_64);
        const FirmwareMode firmware = firmware_of(read.settings, arch);
        for (const BootProgram& program : boot_programs(read.settings, firmware, arch, std::nullopt)) {
            if (program.in_folder) {
                CHECK(program.file == folder.path() / program.name);
                CHECK(program.is_ipxe == (program.name.find("ip") != std::string::npos ||
                                          program.name.find("snp") != std::string::npos));
                names.push_back(program.name + (program.is_signed ? " signed" : ""));
            }
        }
        return names;
    };
    CHECK(found({"--firmware=uefi", "--no-ipxe"}) == Words{"ipxe.efi", "shimx64.efi signed", "grubx64.efi"});
    CHECK(found({"--arch=aarch64", "--pxe=v4"}) == Words{"snponly.efi"});
    CHECK(found({"--firmware=uefi", "--ipxe"}).empty());
    CHECK(found({"--no-ipxe"}).empty());
}

TEST_CASE("DHCP options go to UEFI's PXE client too, in an offer of what QEMU's DHCP names") {
    const HostFacts has_grub = host_that_has({own_grub}, false);
    const Words options{"--dhcp-option=209=x", "--dhcp-option=43=hex:0601", "--dhcp-option=175.83=u8:1"};
    const VmSpec spec = spec_of(flags_and(by_uefi, options), has_grub);
    const Plan plan = make_plan(spec);
    REQUIRE(plan.offer);
    CHECK(shown_firmware_file(*plan.offer) == "tftp://10.0.2.2/grubx64.efi");
    CHECK(plan.offer->bootfile.empty());
    CHECK(plan.offer->firmware_options() == std::vector<DhcpOption>{{209, std::nullopt, "x"}});
    CHECK(contains(text_of_notes(spec),
                   "nobody gets option 43 (vendor-options): UEFI's PXE client gets vm-launch's own"));
    CHECK(contains(
        plan_as_text(plan),
        "The firmware of net0 gets its address from QEMU, and tftp://10.0.2.2/grubx64.efi from "
        "vm-launch: a ProxyDHCP offer, to this guest alone, with the DHCP option 209 (config-file)\n"));
    CHECK(contains(plan_as_shell(plan), "# by hand nobody sends the DHCP option 209 (config-file)\n"));
    const VmSpec first_ipxe = spec_of(flags_and(by_uefi, options), host_that_has({own_snponly}));
    CHECK(contains(text_of_notes(first_ipxe), "option 43 (vendor-options) is sent to iPXE alone"));
    CHECK(make_plan(first_ipxe).offer->options.size() == 3);
    CHECK(make_plan(first_ipxe).offer->firmware_file == "snponly.efi");
    CHECK(contains(first_fault_of(flags_and(by_uefi, {"--pxe=http4", "--dhcp-option=209=x"}), has_grub),
                   "the firmware's HTTP client gets nothing of it"));
    CHECK_FALSE(plan_of(by_uefi, has_grub).offer);  // QEMU's own DHCP is enough
}

TEST_CASE("DHCP options go with an offer to iPXE") {
    const Words flags{"--netboot-dir=/srv/n", "--dhcp-option=209=grub.cfg", "--dhcp-option=175.83=u8:1"};
    const Plan plan = plan_of(flags, with_netboot(made_up_host()));
    REQUIRE(plan.offer);
    CHECK(plan.offer->in_user_mode);
    CHECK(plan.offer->options == std::vector<DhcpOption>{{209, std::nullopt, "grub.cfg"}, {175, 83, "\1"}});
    CHECK(contains(plan_as_text(plan), "209 (config-file)"));
    CHECK(contains(first_fault_of(flags_and(flags, {"--dhcp-option=209=x"}), with_netboot(made_up_host())),
                   "option 209 (config-file) is given twice"));
    CHECK(contains(first_fault_of({"--ipxe", "--dhcp-option=209=x"}, made_up_host()),
                   "no offer that could have it"));
    const Words by_bios{"--boot-order=network", "--netboot-dir=/srv/n", "--dhcp-option=209=x"};
    CHECK(contains(first_fault_of(flags_and(by_bios, {"--no-ipxe"}), with_netboot(made_up_host())), "iPXE"));
    CHECK(test::faults_of(flags_and(by_uefi, {"--dhcp-option=209=x"}), host_that_has({})).size() == 1);
}

// -- who drives the NIC

HostFacts with_rom_for_e1000(RomCandidate rom) {
    HostFacts facts = host_that_has({own_snponly});
    facts.roms = {std::vector<RomCandidate>{std::move(rom)}};
    return facts;
}

rom::test::EfiImage for_e1000() {
    return {.id = {0x8086, 0x100E}};
}

std::string notes_of(const Words& flags, const HostFacts& facts) {
    std::string notes;
    for (const std::string& note : spec_of(flags, facts).notes) {
        notes += note + "\n";
    }
    return notes;
}

TEST_CASE(
    "a NIC that UEFI does not drive is a note where another one boots, or where the user's own words may "
    "help") {
    HostFacts facts = with_rom_for_e1000(test::candidate(
        "/roms/efi-e1000.rom", rom::test::make(for_e1000(), rom::test::whole_program(), false)));
    const Words by_words =
        flags_and(by_uefi, {"--nic-model=e1000", "--pxe=v4", "--", "-set", "device.net0.romfile=/x.rom"});
    CHECK(contains(notes_of(by_words, facts), "unless your own QEMU arguments bring one"));
    facts.roms.insert(facts.roms.begin(), std::vector<RomCandidate>{});
    const Words second = flags_and(by_uefi, {"--pxe=v4", "--nic=model=e1000,mode=nat,boot=on"});
    CHECK(contains(notes_of(second, facts), "NIC 2 does not boot: UEFI on x86_64 has no driver for e1000"));
}

TEST_CASE("UEFI's own client drives virtio alone, and another NIC by a ROM that is a driver") {
    const Words flags = flags_and(by_uefi, {"--nic-model=e1000", "--pxe=v4"});
    const RomCandidate whole = test::candidate(
        "/roms/efi-e1000.rom", rom::test::make(for_e1000(), rom::test::whole_program(), false));
    const Fault fault = test::faults_of(flags, with_rom_for_e1000(whole)).front();
    CHECK(fault.what == "UEFI on x86_64 has no driver for e1000");
    CHECK(contains(fault.why,
                   "/roms/efi-e1000.rom: it is iPXE itself, and would boot in that client's place."));
    CHECK(fault.code == ExitCode::host);
    CHECK(contains(first_fault_of(flags, with_rom_for_e1000(test::bios_rom("/roms/b.rom", {0x8086, 0x100E}))),
                   "has no driver for e1000"));
    const RomCandidate driver = test::candidate(
        "/roms/efi-e1000.rom", rom::test::make(for_e1000(), rom::test::driver_program(), false));
    const VmSpec spec = spec_of(flags, with_rom_for_e1000(driver));
    REQUIRE(spec.nics.front().rom);
    CHECK(spec.nics.front().rom->driver);
    CHECK_FALSE(spec.nics.front().has_ipxe());
    const Plan plan = plan_of(flags, with_rom_for_e1000(driver));
    std::string text = plan_as_text(plan);
    CHECK(contains(text, "the firmware's own PXE boots by this driver"));
    CHECK_FALSE(contains(text, "iPXE boots: the firmware's own clients"));
    // Virtio gets none, and where a disk boots too it is a warning.
    CHECK_FALSE(spec_of(flags_and(by_uefi, {"--pxe=v4"}), with_rom_for_e1000(driver)).nics.front().rom);
    const VmSpec disk =
        spec_of({"--firmware=uefi", "--nic-model=e1000", "--boot-order=hd,network", "--blank-disk"},
                with_rom_for_e1000(whole));
    CHECK(contains(text_of_notes(disk), "nothing boots from the network: UEFI on x86_64 has no driver"));
}

}  // namespace
}  // namespace vml
