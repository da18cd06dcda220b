#include "launcher/plan/make_plan.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "launcher/plan/confine.h"
#include "launcher/plan/disk_plan.h"
#include "launcher/plan/extras_plan.h"
#include "launcher/plan/firmware_args.h"
#include "launcher/plan/machine_args.h"
#include "launcher/plan/network_args.h"
#include "launcher/plan/plan_writer.h"

namespace vml {

namespace {

// Where the first boot has an order of its own, the devices begin with that.
std::vector<BootindexChange> after_first_boot(const VmSpec& spec) {
    std::vector<BootindexChange> changes;
    if (spec.first_boot.empty()) {
        return changes;
    }
    const auto later = [&](std::string_view device, const std::string& qom_id) {
        const auto entry = std::find_if(spec.boot_order.begin(), spec.boot_order.end(),
                                        [&](const BootEntry& e) { return e.device == device; });
        changes.push_back(
            {"/machine/peripheral/" + qom_id, entry == spec.boot_order.end() ? -1 : entry->index});
    };
    for (const NicSpec& nic : spec.nics) {
        later(nic.id, nic.id);
    }
    for (const DiskSpec& disk : spec.disks) {
        later(disk.id, disk.device_id());
    }
    if (spec.cdrom) {
        later(cdrom_device, "cdrom0-dev");
    }
    if (spec.ipxe_program && spec.ipxe_program->on_cd) {
        later(ipxe_device, std::string{ipxe_cd_device});
    }
    return changes;
}

void confine(const VmSpec& spec, Plan& plan) {
    if (!spec.landlock) {
        return;
    }
    plan.confinement = confinement_of_qemu(spec);
    if (plan.tpm) {
        plan.tpm->confinement = confinement_of_swtpm(*spec.tpm);
    }
}

}  // namespace

Plan make_plan(const VmSpec& spec) {
    PlanWriter writer{{.name = spec.name,
                       .program = spec.qemu,
                       .run_user = spec.run_user,
                       .seed = spec.seed,
                       .first_boot = spec.first_boot,
                       .boot_order = spec.boot_order,
                       .after_first_boot = after_first_boot(spec),
                       .secure_boot = spec.nvram.secure_boot,
                       .has_secure_boot = spec.firmware.uefi && spec.firmware.uefi->has("secure-boot"),
                       .state_folder = spec.state_folder,
                       .notes = spec.notes}};
    plan_machine(spec, writer);
    plan_firmware(spec, writer);
    plan_entropy(spec, writer);
    plan_balloon(spec, writer);
    plan_usb(spec, writer);
    plan_firmware_clients(spec, writer);
    plan_tpm(spec, writer);
    plan_smbios(spec, writer);
    plan_ipxe_program(spec, writer);
    plan_control(writer);
    plan_console(spec, writer);
    plan_nics(spec, writer);
    plan_disks(spec, writer);
    plan_seed(spec, writer);
    plan_ipxe_cd(spec, writer);
    plan_guest_agent(spec, writer);
    plan_screen(spec, writer);
    for (const std::string& word : spec.extra_args) {
        writer.add(word, "", "given by the user");
    }
    Plan plan = std::move(writer).finished();
    confine(spec, plan);
    return plan;
}

}  // namespace vml
