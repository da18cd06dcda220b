#include "launcher/plan/extras_plan.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/shell.h"
#include "rom/efi_cd.h"

namespace vml {

namespace {

// A switch of edk2's network stack (edk2 OvmfPkg/PlatformPei and NetworkPkg: opt/org.tianocore/…).
void switch_off(PlanWriter& writer, std::string_view name, std::string reason = "") {
    writer.add("-fw_cfg", fmt::format("name=opt/org.tianocore/{},string=n", name), std::move(reason));
}

bool boots_from_network(const VmSpec& spec) {
    return std::any_of(spec.nics.begin(), spec.nics.end(),
                       [&](const NicSpec& nic) { return spec.bootindex(nic.id); });
}

// It opens its state by name, with the rights of QEMU's user. It ends when its socket to QEMU closes.
PlannedHelper swtpm(const std::string& vm_name, const TpmSpec& tpm, const std::string& socket_by_hand) {
    constexpr int state = first_planned_fd;
    constexpr int socket = state + 1;
    return {
        .name = "tpm",
        .program = tpm.program,
        .args = {{"socket", ""},
                 {"--tpm2", ""},
                 {"--tpmstate", fmt::format("backend-uri=file:///proc/self/fd/{}", state),
                  tpm.kept ? fmt::format("kept as {}", tpm.kept->string()) : "in memory, gone with the VM"},
                 {"--ctrl", fmt::format("type=unixio,clientfd={}", socket), "to QEMU"}},
        .fds = {{.number = state, .purpose = FdPurpose::tpm_state, .kept = tpm.kept.value_or("")},
                {.number = socket, .purpose = FdPurpose::tpm_socket}},
        .by_hand = fmt::format("mkdir -p {0}-tpm && swtpm socket --tpm2 --tpmstate dir=$PWD/{0}-tpm --ctrl "
                               "type=unixio,path=$PWD/{1} --terminate --daemon",
                               vm_name, socket_by_hand)};
}

}  // namespace

void plan_smbios(const VmSpec& spec, PlanWriter& writer) {
    // Type 1 is the system, type 3 the chassis (SMBIOS 3.7, 7.2 and 7.4); iPXE's ${asset} is the chassis'.
    Properties system{"type=1"};
    Properties chassis{"type=3"};
    bool any_system = false;
    bool any_chassis = false;
    for (const auto& [key, value] : spec.smbios) {
        (key == "asset" ? any_chassis : any_system) = true;
        (key == "asset" ? chassis : system).add(key, value);
    }
    if (any_system) {
        writer.add("-smbios", system.text(), "iPXE shows them as ${serial}, ${manufacturer}, ${product}");
    }
    if (any_chassis) {
        writer.add("-smbios", chassis.text(), "iPXE shows it as ${asset}");
    }
}

void plan_seed(const VmSpec& spec, PlanWriter& writer) {
    if (!spec.seed) {
        return;
    }
    const std::string stand_in = spec.name + "-seed.iso";
    const bool third = !spec.seed->vendor_data.empty();
    const std::string make = fmt::format(
        "printf %s {} >user-data && printf %s {} >meta-data && {}xorrisofs -quiet -o {} -V cidata -J -R "
        "user-data meta-data{}",
        shell_quoted(spec.seed->user_data), shell_quoted(spec.seed->meta_data),
        third ? fmt::format("printf %s {} >vendor-data && ", shell_quoted(spec.seed->vendor_data)) : "",
        stand_in, third ? " vendor-data" : "");
    writer.file_node("seed-file", {.purpose = FdPurpose::seed, .by_hand = make}, stand_in, "read-only=on",
                     "cloud-init's seed (NoCloud): a CD image in memory");
    writer.add("-blockdev", "driver=raw,node-name=seed,file=seed-file,read-only=on");
    writer.add("-device", "virtio-blk-pci,id=seed-dev,drive=seed,serial=cidata",
               "cloud-init looks for the volume cidata on every disk");
}

void plan_tpm(const VmSpec& spec, PlanWriter& writer) {
    if (!spec.tpm) {
        return;
    }
    const std::string socket = spec.name + "-tpm.sock";
    const int number = writer.fd({.purpose = FdPurpose::tpm});
    writer.add("-chardev", fmt::format("socket,id=tpm,fd={}", number), "to swtpm, a process of its own",
               fmt::format("socket,id=tpm,path={}", socket));
    writer.add("-tpmdev", "emulator,id=tpm0,chardev=tpm");
    writer.add("-device",
               spec.family == MachineFamily::virt ? "tpm-tis-device,tpmdev=tpm0" : "tpm-crb,tpmdev=tpm0");
    writer.plan().tpm = swtpm(spec.name, *spec.tpm, socket);
}

void plan_firmware_clients(const VmSpec& spec, PlanWriter& writer) {
    if (spec.firmware.mode == FirmwareMode::legacy) {
        return;
    }
    const bool ipxe = spec.ipxe_program || std::any_of(spec.nics.begin(), spec.nics.end(),
                                                       [](const NicSpec& nic) { return nic.has_ipxe(); });
    if (ipxe || !boots_from_network(spec)) {
        switch_off(writer, "IPv4Support",
                   ipxe ? "iPXE boots: the firmware's own clients would wait a minute each once it gives up"
                        : "nothing boots from the network");
        switch_off(writer, "IPv6Support");
        return;
    }
    if (!spec.pxe) {
        return;
    }
    const bool over_ipv4 = *spec.pxe == PxeClient::v4 || *spec.pxe == PxeClient::http4;
    const bool http = *spec.pxe == PxeClient::http4 || *spec.pxe == PxeClient::http6;
    switch_off(writer, over_ipv4 ? "IPv6Support" : "IPv4Support",
               "the firmware's other clients would wait a minute each: only what --pxe asks for");
    // AAVMF of Debian 12 heeds these two alone.
    if (http || !over_ipv4) {
        switch_off(writer, "IPv4PXESupport");
    }
    if (http || over_ipv4) {
        switch_off(writer, "IPv6PXESupport");
    }
}

void plan_ipxe_program(const VmSpec& spec, PlanWriter& writer) {
    if (!spec.ipxe_program || spec.ipxe_program->on_cd) {
        return;
    }
    const IpxeProgramSpec& program = *spec.ipxe_program;
    const int number = writer.fd({.purpose = FdPurpose::rom, .source = program.file});
    writer.add("-kernel", fmt::format("/proc/self/fd/{}", number),
               fmt::format("{}: {}", program.file.string(), program.reason), program.file.string());
    if (!program.command.empty()) {
        writer.add("-append", program.command, "what the ROM would do, without its prompt");
    }
}

// With a controller of its own, so that it is the same on every machine; the guest sees one more CD.
void plan_ipxe_cd(const VmSpec& spec, PlanWriter& writer) {
    if (!spec.ipxe_program || !spec.ipxe_program->on_cd) {
        return;
    }
    const IpxeProgramSpec& program = *spec.ipxe_program;
    const std::string volume = spec.name + "-ipxe.fat";
    const std::string stand_in = spec.name + "-ipxe.iso";
    const std::string make = fmt::format(
        "mformat -C -i {0} -T 8192 :: && mmd -i {0} ::EFI ::EFI/BOOT && mcopy -i {0} {1} ::{2} && xorrisofs "
        "-quiet -o {3} -e {0} -no-emul-boot {0}",
        volume, shell_quoted(program.file.string()), rom::removable_name(program.arch), stand_in);
    writer.file_node(
        "ipxe-file",
        {.purpose = FdPurpose::efi_cd, .source = program.file, .arch = program.arch, .by_hand = make},
        stand_in, "read-only=on", fmt::format("{}: {}", program.file.string(), program.reason));
    writer.add("-blockdev", "driver=raw,node-name=ipxe,file=ipxe-file,read-only=on");
    writer.add("-device", "virtio-scsi-pci,id=ipxe-bus");
    writer.add("-device",
               Properties{"scsi-cd"}
                   .add("id", ipxe_cd_device)
                   .add("bus", "ipxe-bus.0")
                   .add("drive", "ipxe")
                   .bootindex(spec.bootindex(ipxe_device))
                   .text(),
               "a CD, and no -kernel, which would boot first for ever: its turn passes");
}

}  // namespace vml
