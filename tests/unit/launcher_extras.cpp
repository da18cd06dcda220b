// Firmware's clients, Secure Boot and TPM, iPXE as a program, SMBIOS and cloud-init's seed.
#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <nlohmann/json.hpp>

#include "launcher/commands/doctor.h"
#include "launcher/host/firmware_files.h"
#include "launcher/plan/make_plan.h"
#include "launcher/plan/plan_text.h"
#include "launcher/settings/machine_options.h"
#include "launcher/start/seed_image.h"
#include "launcher/vm/seed.h"
#include "launcher/vm/user_data.h"
#include "rom/efi_cd.h"
#include "rom/efi_program.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using nlohmann::json;
using test::contains;
using test::faults_of;
using test::made_up_host;
using test::spec_of;
using test::text_of;
using test::uefi_firmware;
using test::values_of;
using test::Words;

UefiFirmware secure_firmware(std::string architecture, std::string machines, bool smm) {
    UefiFirmware firmware = uefi_firmware(std::move(architecture), std::move(machines));
    firmware.features = {"secure-boot", "enrolled-keys"};
    if (smm) {
        firmware.features.emplace_back("requires-smm");
    }
    return firmware;
}

HostFacts secure_host() {
    HostFacts facts = made_up_host();
    facts.uefi.push_back(secure_firmware("x86_64", "pc-q35-*", true));
    facts.uefi.push_back(secure_firmware("aarch64", "virt-*", false));
    facts.swtpm = "/usr/bin/swtpm";
    facts.roms = {std::vector<RomCandidate>{test::efi_rom("/usr/lib/ipxe/qemu/efi-virtio.rom")}};
    return facts;
}

// -- Secure Boot and TPM

TEST_CASE("Secure Boot: enrolled keys, SMM, and a TPM of its own") {
    const VmSpec spec = spec_of({"--firmware=secure", "--boot-order=network"}, secure_host());
    CHECK(spec.firmware.uefi->has("enrolled-keys"));
    CHECK(spec.tpm == TpmSpec{"/usr/bin/swtpm", std::nullopt});
    const Plan plan = make_plan(spec);
    CHECK(contains(values_of(plan, "-machine").front(), ",smm=on"));
    CHECK(contains(values_of(plan, "-global"), "driver=cfi.pflash01,property=secure,value=on"));
    CHECK(contains(values_of(plan, "-device"), "tpm-crb,tpmdev=tpm0"));
    REQUIRE(plan.tpm);
    CHECK(plan.tpm->program == "/usr/bin/swtpm");
    CHECK(argv_of(plan.tpm->args, 0) == Words{"socket", "--tpm2", "--tpmstate",
                                              "backend-uri=file:///proc/self/fd/3", "--ctrl",
                                              "type=unixio,clientfd=4"});
    CHECK(plan.tpm->fds == std::vector<PlannedFd>{{3, FdPurpose::tpm_state}, {4, FdPurpose::tpm_socket}});
}

TEST_CASE("a TPM's program is shown with the plan, in every format") {
    const Plan plan = make_plan(spec_of({"--firmware=secure", "--boot-order=network"}, secure_host()));
    CHECK(contains(plan_as_text(plan), "\nBeside it, started before it:\n/usr/bin/swtpm\n  socket\n"));
    const auto plan_json = nlohmann::json::parse(plan_as_json(plan));
    REQUIRE(plan_json["helpers"].size() == 1);
    CHECK(plan_json["helpers"][0]["program"] == "/usr/bin/swtpm");
    CHECK(plan_json["helpers"][0]["arguments"][3]["value"] == "type=unixio,clientfd=4");
    CHECK(plan_json["helpers"][0]["fds"][1]["purpose"] == "tpm_socket");
    CHECK(contains(plan_as_shell(plan), "swtpm socket --tpm2"));
    const Plan none = make_plan(spec_of({"--firmware=uefi", "--boot-order=network"}, secure_host()));
    CHECK(nlohmann::json::parse(plan_as_json(none))["helpers"].empty());
}

TEST_CASE("plain UEFI has neither SMM nor a TPM, unless one is asked for") {
    const Plan plan = make_plan(spec_of({"--firmware=uefi", "--boot-order=network"}, secure_host()));
    CHECK_FALSE(contains(values_of(plan, "-machine").front(), "smm"));
    CHECK(values_of(plan, "-tpmdev").empty());
    CHECK(spec_of({"--firmware=uefi", "--boot-order=network", "--tpm"}, secure_host()).tpm);
    CHECK_FALSE(spec_of({"--firmware=secure", "--boot-order=network", "--no-tpm"}, secure_host()).tpm);
}

TEST_CASE("a TPM's state is kept with the rest") {
    HostFacts facts = secure_host();
    facts.data = test::data_folder();
    CHECK(spec_of({"--firmware=secure", "--boot-order=network"}, facts).tpm->kept ==
          "/srv/data/vm/tpm.state");
}

TEST_CASE("what Secure Boot needs and this host lacks") {
    const Words flags{"--firmware=secure", "--boot-order=network"};
    HostFacts facts = secure_host();
    facts.swtpm.reset();
    CHECK(contains(text_of(faults_of(flags, facts)), "apt-get install swtpm, or --no-tpm"));
    facts = secure_host();
    facts.uefi = {uefi_firmware("x86_64", "pc-q35-*")};
    CHECK(contains(text_of(faults_of(flags, facts)),
                   "no UEFI firmware with Secure Boot and enrolled keys for x86_64 (q35) is installed"));
    CHECK(contains(
        text_of(faults_of({"--firmware=secure", "--boot-order=network", "--machine=pc"}, secure_host())),
        "--firmware: there is no Secure Boot on pc"));
}

TEST_CASE("iPXE with Secure Boot says beforehand what will boot") {
    const VmSpec x86 = spec_of({"--ipxe", "--firmware=secure", "--bootfile=http://h/x"}, secure_host());
    CHECK(contains(x86.notes.front(), "whatever iPXE starts must be signed"));
    HostFacts arm = secure_host();
    arm.roms = {std::vector<RomCandidate>{test::efi_rom("/roms/arm.rom", 0xAA64)}};
    CHECK(contains(
        text_of(faults_of({"--ipxe", "--firmware=secure", "--arch=aarch64", "--bootfile=http://h/x"}, arm)),
        "AAVMF with Secure Boot refuses what is not signed, and iPXE is not"));
}

// -- the firmware's own clients

Words switches(const Words& flags, HostFacts facts = secure_host()) {
    Words names;
    for (const std::string& value : values_of(make_plan(spec_of(flags, facts)), "-fw_cfg")) {
        const std::string head = "name=opt/org.tianocore/";
        const std::string tail = ",string=n";
        REQUIRE(value.starts_with(head));
        REQUIRE(value.ends_with(tail));
        names.push_back(value.substr(head.size(), value.size() - head.size() - tail.size()));
    }
    return names;
}

TEST_CASE("which of the firmware's clients are switched off") {
    const Words own{"--firmware=uefi", "--boot-order=network"};
    const auto with = [&](const std::string& client) {
        Words flags = own;
        flags.push_back("--pxe=" + client);
        return switches(flags);
    };
    CHECK(switches(own) == Words{"IPv6Support", "IPv6PXESupport"});
    CHECK(with("v4") == Words{"IPv6Support", "IPv6PXESupport"});
    CHECK(with("v6") == Words{"IPv4Support", "IPv4PXESupport"});
    CHECK(with("http4") == Words{"IPv6Support", "IPv4PXESupport", "IPv6PXESupport"});
    CHECK(with("http6") == Words{"IPv4Support", "IPv4PXESupport", "IPv6PXESupport"});
    CHECK(switches({"--firmware=uefi", "--ipxe", "--bootfile=http://h/x"}) ==
          Words{"IPv4Support", "IPv6Support"});
    HostFacts disk = secure_host();
    disk.disks = {test::an_image()};
    CHECK(switches({"--firmware=uefi", "--disk=/d"}, disk) == Words{"IPv4Support", "IPv6Support"});
    CHECK(switches({"--disk=/d"}, disk).empty());
}

TEST_CASE("--pxe where it can do nothing") {
    const auto why = [](const Words& flags) { return text_of(faults_of(flags, secure_host())); };
    CHECK(contains(why({"--pxe=v4", "--boot-order=network"}), "--pxe needs UEFI"));
    CHECK(contains(why({"--pxe=v4", "--firmware=uefi", "--ipxe", "--bootfile=http://h/x"}),
                   "--ipxe and --pxe contradict each other"));
    CHECK(contains(why({"--pxe=v4", "--firmware=uefi", "--boot-order=hd", "--blank-disk"}),
                   "--pxe has no effect"));
}

// -- iPXE as a program

HostFacts arm_host(bool with_program) {
    HostFacts facts = made_up_host();
    facts.roms = {std::vector<RomCandidate>{test::efi_rom("/usr/share/qemu/efi-virtio.rom")}};
    if (with_program) {
        facts.ipxe_programs = {{"/usr/lib/ipxe/ipxe-arm64.efi", Arch::aarch64}};
    }
    return facts;
}

TEST_CASE("where no ROM fits, iPXE's program stands in for it") {
    HostFacts facts = arm_host(true);
    facts.disks = {test::an_image()};
    const VmSpec spec = spec_of({"--ipxe", "--arch=aarch64", "--bootfile=http://h/x", "--disk=/d"}, facts);
    REQUIRE(spec.ipxe_program);
    CHECK_FALSE(spec.nics.front().rom);
    CHECK_FALSE(spec.bootindex("net0"));
    CHECK(spec.boot_order.front().device == "iPXE");
    CHECK(spec.boot_order.back().device == "disk0");
    const Plan plan = make_plan(spec);
    CHECK(values_of(plan, "-append") == Words{"ipxe autoboot"});
    CHECK(values_of(plan, "-kernel").size() == 1);
    const auto fd = std::find_if(plan.fds.begin(), plan.fds.end(),
                                 [](const PlannedFd& planned) { return planned.purpose == FdPurpose::rom; });
    REQUIRE(fd != plan.fds.end());
    CHECK(fd->source == "/usr/lib/ipxe/ipxe-arm64.efi");
}

TEST_CASE("a ROM with an AArch64 image comes before the program") {
    HostFacts facts = arm_host(true);
    facts.roms = {std::vector<RomCandidate>{test::efi_rom("/roms/arm.rom", 0xAA64)}};
    const VmSpec spec = spec_of({"--ipxe", "--arch=aarch64", "--bootfile=http://h/x"}, facts);
    CHECK_FALSE(spec.ipxe_program);
    CHECK(spec.nics.front().rom->file == "/roms/arm.rom");
}

TEST_CASE("without a ROM and without the program the refusal names the package") {
    const Words flags{"--ipxe", "--arch=aarch64", "--bootfile=http://h/x"};
    const std::string refusal = text_of(faults_of(flags, arm_host(false)));
    CHECK(contains(refusal, "Debian 13's package ipxe has it as /usr/lib/ipxe/ipxe-arm64.efi"));
    HostFacts foreign = arm_host(false);
    foreign.ipxe_programs = {{"/usr/lib/ipxe/ipxe-amd64.efi", Arch::x86_64}};
    CHECK(text_of(faults_of(flags, foreign)) == refusal);
}

TEST_CASE("where its turn passes, the program is on a CD: QEMU's -kernel would boot first for ever") {
    const Words flags{"--ipxe", "--firmware=uefi", "--bootfile=http://h/x", "--boot-once=network",
                      "--blank-disk"};
    HostFacts facts = secure_host();
    facts.roms = {std::vector<RomCandidate>{test::driver_rom("/usr/share/qemu/efi-virtio.rom")}};
    facts.ipxe_programs = {{"/usr/lib/ipxe/ipxe-amd64.efi", Arch::x86_64, false}};
    const VmSpec spec = spec_of(flags, facts);
    REQUIRE(spec.ipxe_program);
    CHECK(spec.ipxe_program->on_cd);
    CHECK(spec.bootindex("iPXE") == 1);
    CHECK(spec.nics.front().watched);
    REQUIRE(spec.first_boot.size() == 1);
    CHECK(spec.first_boot.front().device == "iPXE");
    const Plan plan = make_plan(spec);
    CHECK(values_of(plan, "-kernel").empty());
    CHECK(values_of(plan, "-append").empty());
    const Words devices = values_of(plan, "-device");
    CHECK(std::count(devices.begin(), devices.end(),
                     "scsi-cd,id=ipxe-cd,bus=ipxe-bus.0,drive=ipxe,bootindex=1") == 1);
    const auto change = std::find_if(plan.after_first_boot.begin(), plan.after_first_boot.end(),
                                     [](const BootindexChange& c) { return contains(c.path, "ipxe-cd"); });
    REQUIRE(change != plan.after_first_boot.end());
    CHECK(change->bootindex == -1);
    const auto fd = std::find_if(plan.fds.begin(), plan.fds.end(), [](const PlannedFd& planned) {
        return planned.purpose == FdPurpose::efi_cd;
    });
    REQUIRE(fd != plan.fds.end());
    CHECK(fd->source == "/usr/lib/ipxe/ipxe-amd64.efi");

    facts.data = test::data_folder();
    facts.data->first_boot_done = true;
    const VmSpec later = spec_of(flags, facts);
    CHECK_FALSE(later.ipxe_program);  // its turn was in an earlier run
    CHECK_FALSE(later.nics.front().by_program);
}

// -- the CD

std::size_t number(const std::string& bytes, std::size_t at, unsigned size) {
    std::size_t value = 0;
    for (unsigned i = size; i-- > 0;) {
        value = value << 8U | static_cast<unsigned char>(bytes.at(at + i));
    }
    return value;
}

std::size_t next_cluster(const std::string& volume, std::size_t cluster) {
    const std::size_t pair = number(volume, 512 + cluster * 3 / 2, 2);
    return cluster % 2 == 0 ? pair & 0xFFFU : pair >> 4U;
}

// The file of that name in a folder's cluster: where it begins, and its size.
std::pair<std::size_t, std::size_t> entry_of(const std::string& folder, const std::string& name) {
    for (std::size_t at = 0; at + 32 <= folder.size(); at += 32) {
        if (folder.compare(at, name.size(), name) == 0) {
            return {number(folder, at + 26, 2), number(folder, at + 28, 4)};
        }
    }
    return {0, 0};
}

TEST_CASE("the CD holds the program where the firmware looks for it") {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{512}, std::size_t{100'000},
                                   std::size_t{2'100'000}, std::size_t{9'000'001}}) {
        CAPTURE(size);
        std::string program(size, '\0');
        for (std::size_t i = 0; i < size; ++i) {
            program[i] = static_cast<char>(i * 31 + i / 997);
        }
        const std::string cd = rom::efi_cd(program, Arch::x86_64);
        REQUIRE(cd.size() % 2048 == 0);
        CHECK(cd.compare(16 * 2048, 7, "\1CD001\1") == 0);
        CHECK(cd.compare(17 * 2048 + 7, 23, "EL TORITO SPECIFICATION") == 0);
        const std::size_t catalogue = number(cd, 17 * 2048 + 0x47, 4) * 2048;
        std::size_t sum = 0;
        for (std::size_t i = 0; i < 32; i += 2) {
            sum += number(cd, catalogue + i, 2);
        }
        CHECK(sum % 0x10000 == 0);
        CHECK(number(cd, catalogue + 1, 1) == 0xEF);
        CHECK(number(cd, catalogue + 32, 1) == 0x88);
        const std::string volume = cd.substr(number(cd, catalogue + 40, 4) * 2048);
        CHECK(number(volume, 510, 2) == 0xAA55);
        const std::size_t cluster_size = number(volume, 13, 1) * 512;
        const std::size_t root = 512 * (1 + number(volume, 22, 2));
        const std::size_t data = root + 512;
        const auto cluster = [&](std::size_t n) {
            return volume.substr(data + (n - 2) * cluster_size, cluster_size);
        };
        const std::size_t efi = entry_of(volume.substr(root, 512), "EFI        ").first;
        const std::size_t boot = entry_of(cluster(efi), "BOOT       ").first;
        auto [at, length] = entry_of(cluster(boot), "BOOTX64 EFI");
        CHECK(length == size);
        std::string content;
        for (; at >= 2 && at < 0xFF8; at = next_cluster(volume, at)) {
            content += cluster(at);
        }
        content.resize(size);
        CHECK(content == program);
    }
    CHECK(contains(rom::efi_cd("x", Arch::aarch64), "BOOTAA64EFI"));
}

HostFacts debian_13(bool with_program, bool is_signed = false) {
    HostFacts facts = secure_host();
    facts.roms = {std::vector<RomCandidate>{test::driver_rom("/usr/share/qemu/efi-virtio.rom")}};
    if (with_program) {
        facts.ipxe_programs = {{"/usr/lib/ipxe/ipxe-amd64.efi", Arch::x86_64, is_signed}};
    }
    return facts;
}

const Words uefi_ipxe{"--ipxe", "--firmware=uefi", "--bootfile=http://h/x"};

TEST_CASE("where the ROM is a driver alone, iPXE's program stands in for it") {
    HostFacts facts = debian_13(true);
    facts.disks = {test::an_image()};
    const VmSpec spec = spec_of({"--ipxe", "--firmware=uefi", "--bootfile=http://h/x", "--disk=/d"}, facts);
    REQUIRE(spec.ipxe_program);
    CHECK(spec.ipxe_program->file == "/usr/lib/ipxe/ipxe-amd64.efi");
    CHECK(contains(spec.ipxe_program->reason, "image 1 is iPXE's network driver alone"));
    CHECK_FALSE(spec.nics.front().rom);
    CHECK(spec.nics.front().by_program);
    CHECK(spec.nics.front().watched);
    CHECK(spec.boot_order.front().device == "iPXE");
    CHECK(spec.boot_order.back().device == "disk0");
    CHECK(contains(doctor_as_text(doctor_lines(facts, spec)),
                   "iPXE: /usr/lib/ipxe/ipxe-amd64.efi: the iPXE program stands"));
}

TEST_CASE("snponly.efi, which would find no NIC, is refused with what works") {
    HostFacts facts = debian_13(true);
    facts.ipxe_programs = {{"/x/snponly.efi", Arch::x86_64, false, true}};
    facts.roms.front().front().path = "/x/snponly.efi";
    const std::string text = test::text_of(test::faults_of(
        {"--ipxe", "--firmware=uefi", "--bootfile=http://h/x", "--ipxe-rom=/x/snponly.efi"}, facts));
    CHECK(contains(text, "/x/snponly.efi finds no NIC here"));
    CHECK(contains(text, "give iPXE's ipxe.efi by --ipxe-rom"));
    CHECK(rom::needs_network("MZ...snponly.efi"));
    CHECK_FALSE(rom::needs_network("MZ...ipxe.efi"));
}

TEST_CASE("a BIOS boots the same machine by its ROM") {
    HostFacts facts = debian_13(true);
    facts.roms = made_up_host().roms;
    const VmSpec spec = spec_of({"--ipxe", "--bootfile=http://h/x"}, facts);
    CHECK_FALSE(spec.ipxe_program);
    CHECK(spec.nics.front().rom);
}

TEST_CASE("neither a ROM that boots iPXE nor the program: the package that has it is named") {
    const std::string text = text_of(faults_of(uefi_ipxe, debian_13(false)));
    CHECK(contains(text, "no iPXE ROM boots virtio under UEFI on x86_64"));
    CHECK(contains(text, "iPXE's network driver alone"));
    CHECK(contains(text, "hint: apt-get install ipxe (iPXE's program"));
    HostFacts nothing = debian_13(false);
    nothing.roms = {std::vector<RomCandidate>{}};
    CHECK(contains(text_of(faults_of(uefi_ipxe, nothing)), "hint: apt-get install ipxe ipxe-qemu ("));
}

TEST_CASE("a driver alone that was asked for is refused, whatever program there is") {
    Words flags = uefi_ipxe;
    flags.emplace_back("--ipxe-rom=/usr/share/qemu/efi-virtio.rom");
    const std::string text = text_of(faults_of(flags, debian_13(false)));
    CHECK(contains(text, "UEFI on x86_64 cannot boot iPXE from /usr/share/qemu/efi-virtio.rom on virtio"));
    CHECK(contains(text, "leave --ipxe-rom out"));
    CHECK(contains(text, "EFI_DOWNGRADE_UX"));
}

TEST_CASE("a program that was asked for must be for the machine") {
    Words flags = uefi_ipxe;
    flags.emplace_back("--ipxe-rom=/p.efi");
    HostFacts facts = debian_13(false);
    facts.roms = {std::vector{RomCandidate{"/p.efi", std::nullopt, Fault{"no ROM", "", "", ExitCode::host}}}};
    facts.ipxe_programs = {{"/p.efi", Arch::aarch64, false}};
    CHECK(contains(text_of(faults_of(flags, facts)), "it is an EFI program for aarch64"));
    facts.ipxe_programs = {{"/p.efi", Arch::x86_64, false}};
    CHECK(contains(spec_of(flags, facts).ipxe_program->reason, "--ipxe-rom asks for this program"));
}

TEST_CASE("Secure Boot starts a signed program alone") {
    Words flags{"--ipxe", "--firmware=secure", "--bootfile=http://h/x"};
    const auto faults = faults_of(flags, debian_13(true));
    REQUIRE(faults.size() == 1);
    CHECK(faults.front().code == ExitCode::host);
    CHECK(contains(text_of(faults), "iPXE cannot run with Secure Boot here"));
    CHECK(contains(text_of(faults),
                   "/usr/lib/ipxe/ipxe-amd64.efi, which could stand in for a ROM, is not signed"));
    CHECK(contains(text_of(faults), "--no-ipxe --boot-order network --pxe v4"));
    CHECK(spec_of(flags, debian_13(true, true)).ipxe_program);
    HostFacts whole = debian_13(true);
    whole.roms = {std::vector<RomCandidate>{test::efi_rom("/whole.rom")}};
    CHECK_FALSE(spec_of(flags, whole).ipxe_program);  // OVMF runs a ROM that nobody signed
}

TEST_CASE("several NICs: one program for all, told which of them boot") {
    HostFacts facts = debian_13(true);
    facts.roms.push_back({test::efi_rom("/whole.rom")});
    Words flags = uefi_ipxe;
    flags.emplace_back("--nic=mode=nat,boot=on");
    const VmSpec both = spec_of(flags, facts);
    CHECK(both.ipxe_program->command == "ipxe autoboot");
    CHECK(both.nics.at(1).by_program);
    CHECK_FALSE(both.nics.at(1).rom);
    flags.emplace_back("--nic-boot=off");
    facts.roms = {{}, {test::driver_rom("/usr/share/qemu/efi-virtio.rom")}};
    const VmSpec second = spec_of(flags, facts);
    CHECK(second.ipxe_program->command == "ipxe autoboot net1");
    CHECK_FALSE(second.nics.at(0).by_program);
    CHECK_FALSE(second.nics.at(0).watched);
    CHECK(second.nics.at(1).watched);
}

TEST_CASE("--ipxe-prompt: the program is told nothing, and shows its prompt") {
    Words flags = uefi_ipxe;
    flags.emplace_back("--ipxe-prompt");
    const Plan plan = make_plan(spec_of(flags, debian_13(true)));
    CHECK(values_of(plan, "-kernel").size() == 1);
    CHECK(values_of(plan, "-append").empty());
}

TEST_CASE("an EFI program's architecture, and whether it is signed") {
    using namespace std::string_literals;
    const auto program = [](unsigned machine, char subsystem) {
        std::string pe = "MZ" + std::string(0x3A, '\0') + "\x40\0\0\0PE\0\0"s;
        pe += static_cast<char>(machine & 0xFFU);
        pe += static_cast<char>(machine >> 8U);
        pe += std::string(18 + 68, '\0') + subsystem + std::string(40, '\0');
        return pe;
    };
    CHECK(rom::efi_program_head(program(0x8664, 10)) == rom::EfiProgramHead{Arch::x86_64, false});
    CHECK(rom::efi_program_head(program(0xAA64, 10)) == rom::EfiProgramHead{Arch::aarch64, false});
    CHECK_FALSE(rom::efi_program_head(program(0x014C, 10)));
    std::string signed_one = program(0x8664, 10) + std::string(200, '\0');
    signed_one.at(0x40 + 24 + 148) = 8;
    CHECK_FALSE(rom::efi_program_head(signed_one)->is_signed);  // it has no directory of that number
    signed_one.at(0x40 + 24 + 108) = 16;
    CHECK(rom::efi_program_head(signed_one)->is_signed);
    CHECK_FALSE(rom::efi_program_head(program(0xAA64, 3)));  // Windows, for a console
    const std::string whole = program(0xAA64, 10);
    for (std::size_t length = 0; length < 0x40 + 24 + 70; ++length) {
        CAPTURE(length);
        CHECK_FALSE(rom::efi_program_head(whole.substr(0, length)));
    }
    CHECK_FALSE(
        rom::efi_program_head("MZ" + std::string(0x3A, '\0') + "\xff\xff\xff\xff" + std::string(100, 'x')));
    CHECK_FALSE(rom::efi_program_head("\x55\xaa" + whole));
}

// -- SMBIOS

TEST_CASE("SMBIOS fields: the system's and the chassis'") {
    const Plan plan = make_plan(spec_of(
        {"--ipxe", "--bootfile=http://h/x", "--smbios=serial=S 1, asset=A1,product=P"}, made_up_host()));
    CHECK(values_of(plan, "-smbios") == Words{"type=1,serial=S 1,product=P", "type=3,asset=A1"});
    CHECK(values_of(make_plan(spec_of({"--ipxe", "--bootfile=http://h/x"}, made_up_host())), "-smbios")
              .empty());
}

TEST_CASE("SMBIOS fields that cannot be right") {
    for (const char* bad : {"serial", "serail=1", "serial=1,serial=2", "uuid=1"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(parse_smbios(bad), ValueError);
    }
}

TEST_CASE("a URL for cloud-init is a word in the serial number") {
    const Words flags{"--ipxe", "--bootfile=http://h/x", "--cloud-init-url=http://h/seed"};
    CHECK(values_of(make_plan(spec_of(flags, made_up_host())), "-smbios") ==
          Words{"type=1,serial=ds=nocloud-net;s=http://h/seed/"});
    Words more = flags;
    more.emplace_back("--smbios=serial=1");
    CHECK(contains(text_of(faults_of(more, made_up_host())), "contradict each other"));
    more = flags;
    more.emplace_back("--cloud-init");
    CHECK(contains(text_of(faults_of(more, made_up_host())),
                   "--cloud-init-url contradicts the seed of --cloud-init"));
}

// -- cloud-init's seed

TEST_CASE("meta data: the host name, the key, and an id that changes with the user data") {
    const SeedSpec plain = make_seed("vm", "box", std::nullopt, {});
    CHECK(plain.user_data.starts_with("#cloud-config\n"));
    const json meta = json::parse(plain.meta_data);
    CHECK(meta["local-hostname"] == "box");
    CHECK_FALSE(meta.contains("public-keys"));
    const SeedSpec other = make_seed("vm", "box", "#cloud-config\nx: 1\n", {"ssh-ed25519 AAAA me"});
    CHECK(other.user_data == "#cloud-config\nx: 1\n");
    CHECK(json::parse(other.meta_data)["public-keys"] == json{"ssh-ed25519 AAAA me"});
    CHECK(json::parse(other.meta_data)["instance-id"] != meta["instance-id"]);
    CHECK(make_seed("vm", "box", std::nullopt, {}) == plain);
}

TEST_CASE("the seed's image is a CD labelled cidata that holds both files") {
    const SeedSpec seed = make_seed("vm", "box", "#!/bin/sh\necho hi\n", {});
    const std::string image = seed_image(seed);
    constexpr std::size_t primary_descriptor = std::size_t{16} * 2048;  // ECMA-119, 8.4
    CHECK(image.substr(primary_descriptor + 1, 5) == "CD001");
    CHECK(image.substr(primary_descriptor + 40, 7) == "CIDATA ");  // cloud-init takes it in either case
    const std::unique_ptr<archive, int (*)(archive*)> reader{archive_read_new(), archive_read_free};
    archive_read_support_format_iso9660(reader.get());
    REQUIRE(archive_read_open_memory(reader.get(), image.data(), image.size()) == ARCHIVE_OK);
    std::vector<std::pair<std::string, std::string>> files;
    archive_entry* entry = nullptr;
    while (archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK) {
        std::string content(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
        if (archive_entry_filetype(entry) == AE_IFREG) {
            CHECK(archive_read_data(reader.get(), content.data(), content.size()) ==
                  static_cast<la_ssize_t>(content.size()));
            files.emplace_back(archive_entry_pathname(entry), content);
        }
    }
    std::sort(files.begin(), files.end());
    CHECK(files == std::vector<std::pair<std::string, std::string>>{{"meta-data", seed.meta_data},
                                                                    {"user-data", seed.user_data}});
}

TEST_CASE("a seed comes with any of its settings") {
    HostFacts facts = made_up_host();
    facts.user_data = test::a_file();
    facts.user_data_text = "#cloud-config\nruncmd: []\n";
    const auto seed = [&](const Words& more) {
        Words flags{"--ipxe", "--bootfile=http://h/x", "--name=box"};
        flags.insert(flags.end(), more.begin(), more.end());
        return spec_of(flags, facts).seed;
    };
    CHECK_FALSE(seed({}));
    CHECK(json::parse(seed({"--cloud-init"})->meta_data)["local-hostname"] == "box");
    CHECK(seed({"--user-data=/u"})->user_data == facts.user_data_text);
    CHECK(contains(seed({"--ssh-pubkey=ssh-rsa AAAA", "--hostname=web"})->meta_data, "ssh-rsa AAAA"));
    facts.user_data = PathFacts{PathFacts::Kind::missing, 2};
    CHECK(contains(text_of(faults_of({"--ipxe", "--bootfile=http://h/x", "--user-data=/u"}, facts)),
                   "--user-data: cannot use /u"));
}

TEST_CASE("user data is what cloud-init takes, by its own rules") {
    for (const std::string text :
         {"#cloud-config\nx: 1\n", "#Cloud-Config\n", "#!/bin/sh\n", "#include\nhttp://h/x\n",
          "#include-once\nu\n", "## template: jinja\n#cloud-config\n", "#cloud-boothook\n", "#part-handler\n",
          "#cloud-config-archive\n- x\n",
          "Content-Type: multipart/mixed; boundary=\"b\"\nMIME-Version: 1.0\n\n--b--\n"}) {
        CAPTURE(text);
        const UserDataJudgement judged = judge_user_data(text);
        CHECK(judged.why.empty());
        CHECK(judged.notes.empty());
        CHECK(judged.text == text);
    }
    for (const std::string text : {"", "\n \n", "users:\n- x\n", "# cloud-config\nx: 1\n", "cloud-config\n",
                                   "{\"ignition\": {}}", "echo hi\n"}) {
        CAPTURE(text);
        const UserDataJudgement judged = judge_user_data(text);
        CHECK_FALSE(judged.why.empty());
        CHECK(contains(judged.hint, "#cloud-config"));
    }
    for (const std::string before : {"\n", "\r\n\n", "\xef\xbb\xbf", " \n"}) {
        const UserDataJudgement judged = judge_user_data(before + "#cloud-config\nx: 1\n");
        CHECK(judged.text == "#cloud-config\nx: 1\n");
        CHECK(judged.why.empty());
        CHECK(judged.notes.size() == 1);
    }
    const UserDataJudgement tab = judge_user_data("#cloud-config\nusers:\n\t- x\n");
    CHECK(tab.why.empty());
    REQUIRE(tab.notes.size() == 1);
    CHECK(contains(tab.notes.front(), "line 3 is indented by a tab"));
    for (const char* tabs : {"#cloud-config\nx: |\n  a:\n  \tb\n", "#!/bin/sh\n\techo\n",
                             "#cloud-config\n\t\n\t# a comment\n\t\r\nx:\t1\n"}) {
        CAPTURE(tabs);
        CHECK(judge_user_data(tabs).notes.empty());
    }
    CHECK(contains(judge_user_data({"\xff\xfe#\0c\0", 6}).why, "UTF-16"));
    CHECK(contains(judge_user_data({"\xfe\xff\0#\0c", 6}).hint, "iconv -f UTF-16"));
    const std::string binary = judge_user_data("\x1b[2J\x80\xc3(\r\n").why;
    CHECK(binary == "cloud-init passes over what begins with '\\x1b[2J\\x80\\xc3('");
    CHECK(judge_user_data("#!/bin/sh\r\necho\r\n").text == "#!/bin/sh\necho\n");
    CHECK(judge_user_data("#cloud-config\r\nx: 1\r\n").notes.empty());
}

TEST_CASE("user data that cloud-init would pass over is refused") {
    HostFacts facts = made_up_host();
    facts.user_data = test::a_file();
    facts.user_data_text = "packages: [vim]\n";
    const auto faults = faults_of({"--ipxe", "--bootfile=http://h/x", "--user-data=/u"}, facts);
    REQUIRE(faults.size() == 1);
    CHECK(faults.front().code == ExitCode::settings);
    CHECK(faults.front().what == "--user-data: /u is no user data for cloud-init");
    CHECK(contains(faults.front().hint, "make the first line #cloud-config"));
}

TEST_CASE("a file that holds a key is read for it") {
    CHECK(names_key_file("~/.ssh/id_ed25519.pub"));
    CHECK(names_key_file("/run/secrets/key"));
    CHECK(names_key_file("id.pub"));
    CHECK_FALSE(names_key_file("ssh-ed25519 AAAA/x me"));
    HostFacts facts = made_up_host();
    const Words flags{"--ipxe", "--bootfile=http://h/x", "--ssh-pubkey=~/.ssh/id.pub"};
    facts.ssh_key_file = FileText{"/root/.ssh/id.pub", 0,
                                  "# mine\nssh-ed25519 AAAA me\r\n\nsk-ssh-ed25519@openssh.com AAAABBBB\n"};
    CHECK(json::parse(spec_of(flags, facts).seed->meta_data)["public-keys"] ==
          json{"ssh-ed25519 AAAA me", "sk-ssh-ed25519@openssh.com AAAABBBB"});
    facts.ssh_key_file->text = "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n";
    CHECK(contains(text_of(faults_of(flags, facts)), "it is a private key"));
    facts.ssh_key_file = FileText{"/root/.ssh/id.pub", ENOENT, ""};
    CHECK(contains(text_of(faults_of(flags, facts)),
                   "--ssh-pubkey: cannot use /root/.ssh/id.pub\n  why:  No such file or directory"));
    const Words nonsense{"--ipxe", "--bootfile=http://h/x", "--ssh-pubkey=nonsense"};
    CHECK(contains(text_of(faults_of(nonsense, made_up_host())), "'nonsense' is no public key"));
    for (const char* none :
         {"ssh-key", "my ssh-rsa key", "ssh-ed25519", "ssh-rsa ==", "ssh-rsa\tname AAAA"}) {
        CAPTURE(none);
        const Words text{"--ipxe", "--bootfile=http://h/x", std::string{"--ssh-pubkey="} + none};
        CHECK(contains(text_of(faults_of(text, made_up_host())), "is no public key"));
    }
    const Words options{"--ipxe", "--bootfile=http://h/x", "--ssh-pubkey=no-pty ssh-rsa AAAA"};
    CHECK(spec_of(options, made_up_host()).seed);
}

// -- the firmware chooser

TEST_CASE("each mode takes the firmware that is its own, in whatever order they are listed") {
    std::vector<UefiFirmware> all{
        secure_firmware("x86_64", "pc-q35-*", true), uefi_firmware("x86_64", "pc-*"),
        secure_firmware("aarch64", "virt-*", false), uefi_firmware("aarch64", "virt-*")};
    for (int turn = 0; turn < 4; ++turn) {
        std::rotate(all.begin(), all.begin() + 1, all.end());
        for (const rom::Arch arch : {rom::Arch::x86_64, rom::Arch::aarch64}) {
            const char* machine = arch == rom::Arch::x86_64 ? "q35" : "virt";
            CHECK_FALSE(choose_uefi(all, arch, machine)->has("enrolled-keys"));
            CHECK(choose_secure_uefi(all, arch, machine)->has("enrolled-keys"));
        }
        CHECK_FALSE(choose_secure_uefi(all, rom::Arch::x86_64, "pc"));
    }
    CHECK_FALSE(choose_secure_uefi({}, rom::Arch::x86_64, "q35"));
}

}  // namespace
}  // namespace vml
