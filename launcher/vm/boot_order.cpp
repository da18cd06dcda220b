#include <algorithm>

#include <fmt/format.h>

#include "launcher/settings/values.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/decide_parts.h"

namespace vml {

namespace {

// One of the two orders.
struct Wanted {
    std::string_view flag;
    std::vector<BootDevice> order;
    bool ipxe_first = false;  // --ipxe has put the network first
};

bool first_boot_differs(const DecideInput& in, const VmSpec& vm) {
    return in.settings.boot_once && !(vm.state_folder && in.facts.data->first_boot_done);
}

std::string reason_for(const DecideInput& in, BootDevice device, const Wanted& wanted) {
    const auto given = wanted.flag == "boot-once"
                           ? *in.settings.boot_once
                           : in.settings.boot_order.value_or(std::vector<BootDevice>{});
    if (device == BootDevice::network && wanted.ipxe_first) {
        return fmt::format(
            "{} puts network first{}", in.origin("ipxe"),
            given.empty() || given.front() == BootDevice::network ? "" : ", whatever the order says");
    }
    if (device == BootDevice::cdrom && in.settings.force_iso && wanted.flag == "boot-order") {
        return fmt::format("{} puts the CD-ROM before the disks", in.origin("force-iso"));
    }
    return given.empty() ? "the default order"
                         : fmt::format("{} says {}", in.origin(wanted.flag), to_string(given));
}

// What users call the devices of this kind that boot.
std::vector<std::string> devices_of(const DecideInput& in, const VmSpec& vm, BootDevice kind) {
    std::vector<std::string> devices;
    switch (kind) {
        case BootDevice::network:
            if (vm.ipxe_program) {
                return {std::string{ipxe_device}};
            }
            for (std::size_t i = 0; i < vm.nics.size(); ++i) {
                if (takes_part_in_boot(in.settings.nics[i], i)) {
                    devices.push_back(vm.nics[i].id);
                }
            }
            break;
        case BootDevice::hd:
            for (const DiskSpec& disk : vm.disks) {
                devices.push_back(disk.id);
            }
            break;
        case BootDevice::cdrom:
            if (vm.cdrom) {
                devices.emplace_back(cdrom_device);
            }
            break;
    }
    return devices;
}

void tell_of_none(const DecideInput& in, BootDevice kind, std::string_view flag, Findings& findings) {
    if (kind != BootDevice::network) {
        if (in.origins.contains(flag)) {
            findings.note(
                fmt::format("{} names {}, but there is none: {}", in.origin(flag), to_string(kind),
                            kind == BootDevice::hd ? "give --disk PATH or --blank-disk" : "give --iso PATH"));
        }
    } else if (in.settings.ipxe) {
        findings.settings_fault(fmt::format("{}: no NIC takes part in the boot", in.origin("ipxe")),
                                fmt::format("{} takes the first one out", in.origin("nic-boot")),
                                "let one boot: --nic-boot");
    } else if (in.origins.contains(flag)) {
        findings.note(fmt::format("{} names network, but no NIC takes part in the boot (--nic-boot lets one)",
                                  in.origin(flag)));
    }
}

// A program that is on no CD has no place in the order: the firmware starts it by itself.
std::vector<BootEntry> entries_of(const DecideInput& in, const VmSpec& vm, const Wanted& wanted,
                                  Findings& findings) {
    std::vector<BootEntry> entries;
    for (const BootDevice kind : wanted.order) {
        const std::vector<std::string> devices = devices_of(in, vm, kind);
        if (devices.empty()) {
            tell_of_none(in, kind, wanted.flag, findings);
        }
        for (const std::string& device : devices) {
            if (device == ipxe_device && !vm.ipxe_program->on_cd) {
                entries.push_back({0, kind, device,
                                   fmt::format("the firmware starts {} before anything else",
                                               vm.ipxe_program->file.filename().string())});
            } else {
                const int index = static_cast<int>(entries.size()) + 1;
                entries.push_back({index, kind, device, reason_for(in, kind, wanted)});
            }
        }
    }
    return entries;
}

std::vector<BootEntry> first_order(const DecideInput& in, const VmSpec& vm, Findings& findings) {
    const Wanted wanted{"boot-once", promoted(in.settings, *in.settings.boot_once), in.settings.ipxe};
    std::vector<BootEntry> first = entries_of(in, vm, wanted, findings);
    if (first.empty() && findings.no_fault()) {
        findings.settings_fault(fmt::format("{}: there is no such device", in.origin("boot-once")), "",
                                "add --ipxe for the network, a disk, or --iso PATH");
    }
    return first;
}

// An unattended installer that boots again installs again.
void check_cd_before_disk(const DecideInput& in, const VmSpec& vm, Findings& findings) {
    if (in.settings.force_iso && !vm.cdrom) {
        findings.note(fmt::format("{} has no effect without --iso", in.origin("force-iso")));
    }
    if (!vm.cdrom || in.settings.force_iso || !in.settings.boot_order || in.settings.boot_once ||
        !in.settings.blank_disk || !in.facts.data) {
        return;
    }
    const std::vector<BootDevice>& order = *in.settings.boot_order;
    const auto cd = std::find(order.begin(), order.end(), BootDevice::cdrom);
    const bool before_disk = std::find(cd, order.end(), BootDevice::hd) != order.end();
    const auto& kept = in.facts.data->disks;
    if (vm.state_folder && before_disk &&
        std::any_of(kept.begin(), kept.end(), [](const KeptDiskFacts& disk) { return disk.holds_data; })) {
        findings.note(
            fmt::format("{} boots the CD-ROM again, though the disk that was kept holds data: hd,cdrom boots "
                        "what is installed first; --force-iso says that the CD-ROM is meant",
                        in.origin("boot-order")));
    }
}

}  // namespace

BootOrder decide_boot_order(const DecideInput& in, const VmSpec& devices, Findings& findings) {
    check_cd_before_disk(in, devices, findings);
    const bool differs = first_boot_differs(in, devices);
    const std::vector<BootDevice> wanted = wanted_order(in.settings);
    BootOrder order;
    order.later = entries_of(in, devices, {"boot-order", wanted, in.settings.ipxe && !differs}, findings);
    if (order.later.empty() && !differs && findings.no_fault()) {
        findings.settings_fault(
            "there is nothing to boot from",
            fmt::format("{} {}, and there is no such device",
                        in.origins.contains("boot-order") ? in.origin("boot-order") + " says"
                                                          : "the default order is",
                        to_string(wanted)),
            "add --ipxe for the network, --disk PATH, or --iso PATH");
    }
    if (differs) {
        // A number is one device's alone, also for the moment in which the order changes: the later ones are
        // others.
        constexpr int apart = 100;
        for (BootEntry& entry : order.later) {
            entry.index += apart;
        }
        order.first = first_order(in, devices, findings);
    } else if (in.settings.boot_once) {
        findings.note(
            fmt::format("{} was done in an earlier run, so the VM boots by its order (to do it again, "
                        "delete {})",
                        in.origin("boot-once"), (*devices.state_folder / first_boot_mark).string()));
    }
    return order;
}

}  // namespace vml
