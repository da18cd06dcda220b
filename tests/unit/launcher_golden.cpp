// Whole plans, as tests/golden/*.args has them. With VML_UPDATE_GOLDEN=1 in the environment the files are
// written anew: read the difference before you keep it.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "base/shell.h"
#include "launcher/plan/make_plan.h"
#include "launcher/plan/plan_text.h"
#include "launcher/vm/boot_sources.h"
#include "tests/unit/catch.h"
#include "tests/unit/launcher_support.h"

namespace vml {
namespace {

using test::a_file;
using test::an_image;
using test::bios_rom;
using test::efi_rom;
using test::made_up_host;
using test::spec_of;
using test::text_in;
using test::uefi_firmware;
using test::with_kvm;
using test::with_netboot;
using test::Words;

struct Golden {
    std::string name;
    Words flags;
    HostFacts facts;
};

HostFacts with_rom(HostFacts facts, RomCandidate rom) {
    facts.roms = {std::vector<RomCandidate>{std::move(rom)}};
    return facts;
}

HostFacts in_container(HostFacts facts) {
    facts.in_container = true;
    return facts;
}

HostFacts with_disk(HostFacts facts, const std::string& format) {
    facts.disks = {an_image(format)};
    return facts;
}

HostFacts with_secure_boot(HostFacts facts) {
    UefiFirmware firmware = uefi_firmware("x86_64", "pc-q35-*");
    firmware.features = {"enrolled-keys", "requires-smm", "secure-boot"};
    facts.uefi.push_back(firmware);
    facts.nvram_template = StoreFacts{.size = 540672, .content = rom::VariableStore{.platform_key = true}};
    facts.swtpm = "/usr/bin/swtpm";
    return facts;
}

HostFacts with_ipxe_program(HostFacts facts) {
    facts.ipxe_programs = {{"/usr/lib/ipxe/ipxe-arm64.efi", Arch::aarch64}};
    return facts;
}

HostFacts with_amd64_program(HostFacts facts) {
    facts.ipxe_programs = {{"/usr/lib/ipxe/ipxe-amd64.efi", Arch::x86_64}};
    return facts;
}

HostFacts with_boot_program(HostFacts facts, BootProgram program) {
    facts.boot_programs.push_back(std::move(program));
    return facts;
}

HostFacts with_user_data(HostFacts facts) {
    facts.user_data = a_file();
    facts.user_data_text = "#cloud-config\nruncmd: []\n";
    return facts;
}

HostFacts with_two_disks(HostFacts facts) {
    facts.disks = {an_image("qcow2"), an_image("raw")};
    return facts;
}

HostFacts with_data(HostFacts facts) {
    facts.data = test::data_folder();
    return facts;
}

HostFacts with_iso(HostFacts facts) {
    facts.iso = a_file();
    return facts;
}

HostFacts arm_qemu(HostFacts facts) {
    facts.qemu_program = "qemu-system-aarch64";
    facts.qemu = "/usr/bin/qemu-system-aarch64";
    facts.roms = {std::vector<RomCandidate>{}};
    return facts;
}

HostFacts with_own_firmware(HostFacts facts) {
    facts.firmware_code = {a_file(), std::uint64_t{4} << 20};
    facts.firmware_vars = {a_file(), std::uint64_t{512} << 10};
    Settings settings;
    settings.firmware_code = "build/OVMF_CODE.fd";
    settings.firmware_vars = "/build/OVMF_VARS.fd";
    facts.uefi = own_uefi(settings, Arch::x86_64, facts.working_folder);
    return facts;
}

OfferedFile offered(const std::filesystem::path& path) {
    return {test::a_file(), path, 0, 4096};
}

HostFacts with_script(HostFacts facts) {
    ScriptFacts script;
    script.name = "my.ipxe";
    script.bytes = "#!ipxe\nkernel vmlinuz\nboot\n";
    facts.offered.script = {offered("/srv/my.ipxe"), script, {{"vmlinuz", "/srv/my kernels/vmlinuz"}}};
    return facts;
}

HostFacts with_kernel(HostFacts facts) {
    facts.offered.kernel = offered("/boot/vmlinuz-6.1.0");
    facts.offered.initrds = {offered("/boot/initrd.img-6.1.0")};
    return facts;
}

std::vector<Golden> all_golden() {
    const Words netboot{"--ipxe", "--netboot-dir=/srv/netboot"};
    const auto and_also = [&](const Words& more) {
        Words flags = netboot;
        flags.insert(flags.end(), more.begin(), more.end());
        return flags;
    };
    const HostFacts served = with_netboot(made_up_host());
    return {
        {"nat-bios-ipxe", netboot, served},
        {"kvm", netboot, with_kvm(served)},
        {"screen-in-a-container", and_also({"--graphics=vnc", "--vnc-port=5901", "--ssh-port=2222"}),
         in_container(served)},
        {"script", {"--script=my.ipxe", "--ssh-port=2222"}, with_script(made_up_host())},
        {"kernel-uefi",
         {"--kernel=/boot/vmlinuz", "--initrd=/boot/initrd.img", "--append=console=ttyS0 it's",
          "--firmware=uefi"},
         with_kernel(with_rom(made_up_host(), efi_rom("/usr/lib/ipxe/qemu/efi-virtio.rom")))},
        {"no-guest-agent", and_also({"--no-guest-agent"}), served},
        {"own-rom-transitional", and_also({"--ipxe-rom=/roms/own.rom"}),
         with_rom(served, bios_rom("/roms/own.rom", {0x1AF4, 0x1000}))},
        {"pc", and_also({"--machine=pc", "--name=old-one"}), served},
        {"e1000", and_also({"--nic-model=e1000", "--mac=52:54:00:12:34:56"}),
         with_rom(served, bios_rom("/usr/lib/ipxe/qemu/pxe-e1000.rom", {0x8086, 0x100E}))},
        {"uefi-ipxe", and_also({"--firmware=uefi"}),
         with_rom(served, efi_rom("/usr/lib/ipxe/qemu/efi-virtio.rom"))},
        {"uefi-ipxe-program", and_also({"--firmware=uefi", "--blank-disk"}),
         with_amd64_program(with_rom(served, test::driver_rom("/usr/share/qemu/efi-virtio.rom")))},
        {"uefi-ipxe-program-once", and_also({"--firmware=uefi", "--blank-disk", "--boot-once=network"}),
         with_amd64_program(with_rom(served, test::driver_rom("/usr/share/qemu/efi-virtio.rom")))},
        {"aarch64-uefi-pxe",
         {"--arch=aarch64", "--boot-order=network", "--netboot-dir=/srv/netboot"},
         with_boot_program(arm_qemu(served), {"/usr/lib/ipxe/ipxe-arm64.efi", "ipxe-arm64.efi", true, false,
                                              false, "/usr/lib/ipxe/ipxe-arm64.efi"})},
        {"uefi-http4",
         {"--firmware=uefi", "--pxe=http4", "--netboot-dir=/srv/netboot", "--dhcp-option=209=grub.cfg"},
         with_boot_program(served, {"/usr/lib/ipxe/snponly.efi", "snponly.efi", true, false, false,
                                    "/usr/lib/ipxe/snponly.efi"})},
        {"disk-cdrom-order",
         {"--disk=/images/a,b.qcow2", "--iso=/images/x y.iso", "--boot-order=cdrom,hd,network"},
         with_iso(with_disk(made_up_host(), "qcow2"))},
        {"blank-disk-uefi", and_also({"--firmware=uefi", "--blank-disk", "--disk-size=8G"}),
         with_rom(served, efi_rom("/usr/lib/ipxe/qemu/efi-virtio.rom"))},
        {"forwards",
         {"--ipxe", "--bootfile=http://boot.example/x.ipxe", "--port-forward=8080:80,8443:443",
          "--ssh-port=2222"},
         made_up_host()},
        {"extra-args",
         and_also({"--cpus=half", "--memory=max", "--", "-device", "virtio-balloon-pci", "-d", "guest errors",
                   ""}),
         served},
        {"disks-scsi-kept",
         {"--name=box", "--disk=/images/a.qcow2", "--disk=/images/b.raw", "--blank-disk", "--disk-bus=scsi",
          "--disk-cache=none"},
         with_data(with_two_disks(made_up_host()))},
        {"disks-nvme-uefi-kept",
         {"--name=box", "--firmware=uefi", "--disk=/images/a.qcow2", "--disk=/images/b.raw",
          "--disk-bus=nvme"},
         with_data(with_two_disks(made_up_host()))},
        {"disks-sata-cdrom",
         {"--disk=/images/a.qcow2", "--disk=/images/b.raw", "--disk-bus=sata", "--iso=/c.iso",
          "--boot-order=cdrom,hd"},
         with_iso(with_two_disks(made_up_host()))},
        {"aarch64-scsi-cdrom",
         {"--arch=aarch64", "--disk=/images/a.qcow2", "--disk=/images/b.raw", "--disk-bus=scsi",
          "--iso=/c.iso"},
         with_iso(with_two_disks(arm_qemu(made_up_host())))},
        {"boot-once", and_also({"--boot-once=network", "--blank-disk", "--disk-size=8G"}), served},
        {"secure",
         {"--firmware=secure", "--boot-order=network", "--pxe=v4", "--netboot-dir=/srv/netboot"},
         with_boot_program(with_secure_boot(served), {"/srv/netboot/shimx64.efi", "shimx64.efi", false, true,
                                                      true, "/srv/netboot/shimx64.efi"})},
        {"isolated", and_also({"--network=isolated", "--segment=lab"}), served},
        {"pxe-http6", {"--firmware=uefi", "--boot-order=network", "--pxe=http6"}, made_up_host()},
        {"aarch64-ipxe-program", and_also({"--arch=aarch64"}), with_ipxe_program(arm_qemu(served))},
        {"cloud-init-smbios",
         and_also({"--user-data=/u", "--ssh-pubkey=ssh-ed25519 AAAA me", "--smbios=serial=S1,asset=A1"}),
         with_user_data(served)},
        {"disks-usb-kept",
         {"--name=box", "--disk=/images/a.qcow2", "--blank-disk", "--extra-disk=1G", "--extra-disk=2G",
          "--disk-bus=usb", "--usb", "--graphics=vnc", "--vnc-password=none"},
         with_data(with_disk(made_up_host(), "qcow2"))},
        {"disks-scsi-thread",
         {"--blank-disk", "--disk-bus=scsi", "--io-thread", "--disk-io=native"},
         made_up_host()},
        {"disks-ide-cdrom-first",
         {"--machine=pc", "--disk=/images/a.qcow2", "--disk-bus=ide", "--iso=/c.iso", "--force-iso"},
         with_iso(with_disk(made_up_host(), "qcow2"))},
        {"hyperv-balloon",
         {"--blank-disk", "--hyperv", "--balloon", "--io-thread", "--disk-io=io_uring"},
         with_kvm(made_up_host())},
        {"guest-ip", and_also({"--guest-ip=192.168.7.9/25", "--ssh-port=2222"}), served},
        {"guest-password", {"--blank-disk", "--guest-password=it's mine"}, made_up_host()},
        {"own-firmware",
         {"--firmware-code=build/OVMF_CODE.fd", "--firmware-vars=/build/OVMF_VARS.fd", "--blank-disk"},
         with_own_firmware(made_up_host())},
        {"own-firmware-image", and_also({"--firmware-code=/build/coreboot.rom", "--firmware=legacy"}),
         with_own_firmware(served)},
        {"devices-missing", and_also({"--boot-order=hd,cdrom,network"}), served},
    };
}

std::filesystem::path golden_folder() {
    return std::filesystem::path{VML_TEST_DIR} / "golden";
}

std::string shown(const Golden& golden) {
    std::string text = "$ vm-launch plan";
    for (const std::string& flag : golden.flags) {
        text += " " + shell_quoted(flag);
    }
    return text + "\n\n" + plan_as_text(make_plan(spec_of(golden.flags, golden.facts)));
}

TEST_CASE("plans are those of the golden files") {
    const bool update = std::getenv("VML_UPDATE_GOLDEN") != nullptr;
    for (const Golden& golden : all_golden()) {
        const std::filesystem::path file = golden_folder() / (golden.name + ".args");
        if (update) {
            std::ofstream{file, std::ios::binary} << shown(golden);
        }
        INFO(file.string());
        CHECK(shown(golden) == text_in(file));
    }
}

TEST_CASE("no golden file is left that no case makes") {
    std::set<std::string> made;
    for (const Golden& golden : all_golden()) {
        CHECK(made.insert(golden.name + ".args").second);
    }
    for (const auto& entry : std::filesystem::directory_iterator{golden_folder()}) {
        CAPTURE(entry.path());
        CHECK(made.contains(entry.path().filename()));
    }
}

}  // namespace
}  // namespace vml
