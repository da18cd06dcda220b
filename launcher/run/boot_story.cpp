#include "launcher/run/boot_story.h"

#include <utility>
#include <variant>

#include <fmt/format.h>

#include "launcher/settings/values.h"
#include "launcher/vm/link_kind.h"

namespace vml {

namespace {

boot::ReportHead::Nic nic_story(const NicSpec& nic) {
    const LinkKind kind = kind_of(nic.net);
    return {nic.id,
            nic.mac,
            nic.model,
            kind.on_host ? fmt::format("{} {}", kind.name, host_link_of(nic.net)) : std::string{kind.name},
            nic.rom ? nic.rom->file.string() : "",
            nic.watched};
}

// What is known of the network that boots first, for the verdict.
void describe_network(const NicSpec& nic, boot::Circumstances& about) {
    about.wire = nic.watched;
    about.rom = nic.rom ? nic.rom->file.string() : "";
    about.network = kind_of(nic.net).network;
    about.upper = host_link_of(nic.net);
}

}  // namespace

BootStory boot_story(const Settings& settings, const VmSpec& spec, const Plan& plan) {
    BootStory story;
    ObserverConfig& observer = story.observer;
    for (const WirePoint& point : plan.wire) {
        observer.nics.push_back({point.id, boot::mac_from_text(point.mac).value_or(boot::Mac{})});
    }
    observer.about.ipxe = settings.ipxe;
    observer.about.uefi = spec.firmware.mode != FirmwareMode::legacy;
    observer.about.secure = spec.firmware.mode == FirmwareMode::secure;
    observer.about.aarch64 = spec.arch == Arch::aarch64;
    observer.until = settings.until;
    observer.reboot_limit = settings.reboot_limit;
    observer.bootable_nics = 0;
    for (const NicSpec& nic : spec.nics) {
        if (spec.boots_from(nic) && observer.bootable_nics++ == 0) {
            describe_network(nic, observer.about);
        }
        story.head.nics.push_back(nic_story(nic));
        if (nic.by_program && spec.ipxe_program) {
            story.head.nics.back().rom =
                fmt::format("none: {} stands in for it", spec.ipxe_program->file.string());
        }
    }
    observer.boots_network = observer.bootable_nics > 0;
    for (const BootEntry& entry : spec.first_boot) {
        observer.boots_other = observer.boots_other || entry.kind != BootDevice::network;
        story.head.boot_order.push_back(entry.device + " (first boot)");
    }
    for (const BootEntry& entry : spec.boot_order) {
        observer.boots_other = observer.boots_other || entry.kind != BootDevice::network;
        story.head.boot_order.push_back(entry.device);
    }
    story.shortcuts.press_key = spec.key_at_prompt;
    for (const NicSpec& nic : spec.nics) {
        if (nic.advertise_router) {
            story.shortcuts.advertise_to.push_back(nic.id);
        }
    }
    const bool by_pxe = spec.pxe == PxeClient::v4 || spec.pxe == PxeClient::v6;
    for (const NicSpec& nic : spec.nics) {
        if (by_pxe && settings.fast_boot && !settings.ipxe && spec.bootindex(nic.id)) {
            story.resting_nics.push_back({nic.id, nic.mac});
        }
    }
    if (plan.http_folder) {
        story.head.helped.push_back(
            fmt::format("{} was served by HTTP, three times as fast as TFTP", plan.http_folder->string()));
    }
    story.head.name = spec.name;
    story.head.machine = spec.machine;
    story.head.firmware = to_string(spec.firmware.mode);
    story.head.accelerator = spec.accelerator == Accelerator::kvm ? "kvm" : "tcg";
    return story;
}

}  // namespace vml
