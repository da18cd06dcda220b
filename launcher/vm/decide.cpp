#include <algorithm>
#include <utility>

#include "launcher/vm/boot_sources.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/identity.h"
#include "launcher/vm/spec.h"

namespace vml {

namespace {

// The machine without what is plugged into it.
VmSpec decide_bare_machine(const DecideInput& in, Findings& findings) {
    VmSpec spec;
    spec.name = decide_name(in);
    spec.uuid = uuid_of(identity_source(in, spec.name));
    spec.qemu = decide_qemu(in, findings);
    spec.arch = arch_of(in.settings, in.facts.arch);
    const MachineChoice machine = decide_machine(in, spec.arch, findings);
    spec.machine = machine.name;
    spec.family = machine.family;
    spec.cpus = decide_amount(in.settings.cpus, in.facts.cpus);
    const AcceleratorChoice accelerator = decide_accelerator(in, spec.arch, findings);
    spec.accelerator = accelerator.accelerator;
    spec.accelerator_reason = accelerator.reason;
    spec.cpu = accelerator.cpu;
    const MemoryChoice memory = decide_memory(in, spec.accelerator, spec.cpus, findings);
    spec.memory_mib = memory.guest_mib;
    spec.translation_mib = memory.translation_mib;
    spec.firmware = decide_firmware(in, spec.arch, machine, findings);
    return spec;
}

// That iPXE is to run.
std::optional<NetbootScript> served_script(const DecideInput& in, const std::vector<NicSpec>& nics) {
    const bool by_firmware = std::any_of(
        nics.begin(), nics.end(), [](const NicSpec& nic) { return nic.netboot.firmware_file.has_value(); });
    if (!in.settings.ipxe && !by_firmware) {
        return std::nullopt;
    }
    for (const NicSpec& nic : nics) {
        if (nic.netboot.is_elsewhere()) {
            return std::nullopt;
        }
        for (const ServedFile& file : nic.netboot.files) {
            if (!file.text.empty() && file.name == nic.netboot.bootfile) {
                return NetbootScript{file.name, file.text};
            }
        }
    }
    const auto named = [](const ScriptFacts& read) { return NetbootScript{read.name, read.bytes}; };
    if (in.facts.offered.script) {
        return named(in.facts.offered.script->read);
    }
    return in.facts.netboot && in.facts.netboot->read ? std::optional{named(*in.facts.netboot->read)}
                                                      : std::nullopt;
}

}  // namespace

Decision decide(const Settings& settings, const Origins& origins, const HostFacts& facts) {
    const DecideInput in{settings, origins, facts};
    Findings findings;
    VmSpec spec = decide_bare_machine(in, findings);
    spec.run_user = decide_run_user(in, spec.accelerator, findings);
    spec.state_folder = decide_state_folder(in, spec.name, findings);
    spec.nvram = decide_nvram(in, spec.firmware, spec.arch, spec.state_folder, findings);
    spec.tpm = decide_tpm(in, spec.firmware.mode, spec.state_folder, findings);
    spec.pxe = decide_pxe(in, spec.firmware.mode, findings);
    spec.identity = identity_to_keep(in, spec.state_folder);
    const std::string identity = identity_source(in, spec.name);
    NicChoice network = decide_nics(in, {spec.name, spec.arch, spec.firmware.mode, identity}, findings);
    spec.nics = std::move(network.nics);
    spec.ipxe_program = std::move(network.ipxe_program);
    spec.script = served_script(in, spec.nics);
    spec.disks = decide_disks(in, {{spec.machine, spec.family}, spec.state_folder}, findings);
    spec.cdrom = decide_cdrom(in, findings);
    check_image_uses(in, spec.disks, findings);
    spec.smbios = decide_smbios(in, findings);
    spec.seed = decide_seed(in, spec.name, findings);
    spec.vnc = decide_screen(in, findings);
    check_ports(in, findings);
    check_outputs(in, findings);
    note_unused(in, findings);
    check_identity(in, spec, findings);
    spec.guest_agent = settings.guest_agent;
    spec.usb = settings.usb;
    spec.balloon = settings.balloon;
    spec.io_thread = settings.io_thread;
    spec.entropy = decide_entropy(in, spec.firmware.mode, findings);
    BootOrder order = decide_boot_order(in, spec, findings);
    spec.first_boot = std::move(order.first);
    spec.boot_order = std::move(order.later);
    drop_idle_program(spec);
    watch_nics(in, spec, findings);
    check_record(in, spec, findings);
    spare_waits(in, spec);
    decide_probe(in, spec, findings);
    spec.extra_args = settings.extra_args;
    // What they name is not known.
    spec.landlock = settings.landlock.value_or(settings.extra_args.empty());
    if (!findings.no_fault()) {
        return findings.sorted_faults();
    }
    spec.notes = findings.notes();
    return spec;
}

}  // namespace vml
