#include "launcher/run/run_inputs.h"

#include <algorithm>

#include <fmt/format.h>

#include "launcher/settings/values.h"
#include "launcher/vm/link_kind.h"
#include "launcher/vm/offer_options.h"

namespace vml {

namespace {

boot::ReportHead::Nic reported_nic(const NicSpec& nic) {
    const LinkKind kind = kind_of(nic.net);
    return {nic.id,
            nic.mac,
            nic.model,
            !host_link_of(nic.net).empty() ? fmt::format("{} {}", kind.name, host_link_of(nic.net))
                                           : std::string{kind.name},
            nic.rom ? nic.rom->file.string() : "",
            nic.watched};
}

// What is known of the network that boots first, for the verdict.
void describe_network(const NicSpec& nic, boot::Circumstances& about) {
    about.wire = nic.watched;
    if ((nic.netboot.http || nic.netboot.tftp) && nic.netboot.bootfile && !nic.netboot.is_elsewhere()) {
        about.serves = nic.netboot.folder ? nic.netboot.folder->string() : "";
    }
    about.rom = nic.has_ipxe() ? nic.rom->file.string() : "";
    about.network = kind_of(nic.net).network;
    about.host_link = host_link_of(nic.net);
}

boot::Circumstances circumstances(const Settings& settings, const VmSpec& spec) {
    boot::Circumstances about;
    about.ipxe = settings.ipxe;
    about.uefi = spec.firmware.mode != FirmwareMode::legacy;
    about.secure = spec.firmware.mode == FirmwareMode::secure;
    about.aarch64 = spec.arch == Arch::aarch64;
    if (spec.script) {
        about.served.push_back({std::string{boot::base_name(spec.script->name)}, spec.script->text});
    }
    const auto first = std::find_if(spec.nics.begin(), spec.nics.end(),
                                    [&](const NicSpec& nic) { return spec.boots_from(nic); });
    if (first != spec.nics.end()) {
        describe_network(*first, about);
    }
    return about;
}

ObserverConfig observer_config(const Settings& settings, const VmSpec& spec, const Plan& plan) {
    ObserverConfig observer;
    for (const WirePoint& point : plan.wire) {
        observer.nics.push_back({point.id, mac_from_text(point.mac).value_or(Mac{})});
    }
    observer.about = circumstances(settings, spec);
    observer.until = settings.until;
    observer.reboot_limit = settings.reboot_limit;
    observer.bootable_nics = static_cast<unsigned>(std::count_if(
        spec.nics.begin(), spec.nics.end(), [&](const NicSpec& nic) { return spec.boots_from(nic); }));
    observer.boots_network = observer.bootable_nics > 0;
    const auto begins_with_other = [](const std::vector<BootEntry>& order) {
        return !order.empty() && order.front().kind != BootDevice::network;
    };
    observer.other_first = begins_with_other(spec.first_boot.empty() ? spec.boot_order : spec.first_boot);
    observer.other_first_later = begins_with_other(spec.boot_order);
    for (const std::vector<BootEntry>* order : {&spec.first_boot, &spec.boot_order}) {
        observer.boots_other =
            observer.boots_other || std::any_of(order->begin(), order->end(), [](const BootEntry& entry) {
                return entry.kind != BootDevice::network;
            });
    }
    return observer;
}

ShortcutsConfig shortcuts_config(const VmSpec& spec) {
    ShortcutsConfig shortcuts;
    shortcuts.press_key = spec.key_at_prompt;
    shortcuts.firmware_loads_ipxe = spec.firmware_loads_ipxe;
    for (const NicSpec& nic : spec.nics) {
        if (nic.advertise_router) {
            shortcuts.advertise_to.push_back(nic.id);
        }
    }
    return shortcuts;
}

std::vector<LinkPause::Nic> pausable_nics(const Settings& settings, const VmSpec& spec) {
    const bool by_pxe = spec.pxe == PxeClient::v4 || spec.pxe == PxeClient::v6;
    std::vector<LinkPause::Nic> nics;
    for (const NicSpec& nic : spec.nics) {
        if (by_pxe && settings.fast_boot && !settings.ipxe && spec.bootindex(nic.id)) {
            nics.push_back({nic.id, nic.mac});
        }
    }
    return nics;
}

std::vector<std::string> repeat_offers_to(const VmSpec& spec) {
    std::vector<std::string> nics;
    for (const NicSpec& nic : spec.nics) {
        if (nic.repeat_offer) {
            nics.push_back(nic.id);
        }
    }
    return nics;
}

std::string_view protocols_of(const PlannedOffer& offer) {
    return offer.tftp_block == 0 ? "HTTP" : offer.by_http() ? "TFTP and HTTP" : "TFTP";
}

std::string offer_told(const Plan& plan) {
    const PlannedOffer& offer = *plan.offer;
    const std::string_view clients = offer.firmware == FirmwareFetch::none ? "iPXE"
                                     : offer.bootfile.empty()              ? "firmware"
                                                                           : "firmware, and then its iPXE,";
    return fmt::format(
        "{}'s {} was offered what vm-launch serves{}, on its own {} alone", offer.id, clients,
        !plan.http ? "" : fmt::format(" by {} from {}", protocols_of(offer), net::to_text(offer.from)),
        offer.in_user_mode ? "link" : "tap");
}

std::optional<ProbeQuestion> probe_question(const Plan& plan) {
    if (!plan.probe) {
        return std::nullopt;
    }
    const PlannedProbe& probe = *plan.probe;
    return ProbeQuestion{probe.id,
                         {0, mac_from_text(probe.mac).value_or(Mac{}), probe.words.arch,
                          probe.words.vendor_class, probe.words.user_class, probe.words.uuid}};
}

std::string firmware_file(const FirmwareSpec& firmware) {
    return firmware.image ? firmware.image->string() : firmware.uefi ? firmware.uefi->code.string() : "";
}

boot::ReportHead report_head(const VmSpec& spec, const Plan& plan) {
    boot::ReportHead head;
    head.name = spec.name;
    head.machine = spec.machine;
    head.versions.firmware_file = firmware_file(spec.firmware);
    head.firmware = to_string(spec.firmware.mode);
    head.accelerator = spec.accelerator == Accelerator::kvm ? "kvm" : "tcg";
    for (const NicSpec& nic : spec.nics) {
        head.nics.push_back(reported_nic(nic));
        if (nic.by_program && spec.ipxe_program) {
            head.nics.back().rom = fmt::format("none: {} stands in for it", spec.ipxe_program->file.string());
        }
    }
    for (const BootEntry& entry : spec.first_boot) {
        head.boot_order.push_back(entry.device + " (first boot)");
    }
    for (const BootEntry& entry : spec.boot_order) {
        head.boot_order.push_back(entry.device);
    }
    if (plan.http && plan.http->folder && !plan.offer && !plan.serves_on_segment()) {
        head.served.push_back(
            fmt::format("{} was served by HTTP, three times as fast as TFTP", plan.http->folder->string()));
    }
    if (plan.http && !plan.http->files.empty()) {
        head.served.push_back(
            fmt::format("{} came from vm-launch itself, by HTTP", plan.http->names_of_files()));
    }
    return head;
}

}  // namespace

std::optional<OwnService> own_service(const Plan& plan, std::uint16_t http_port) {
    if (!plan.offer) {
        return std::nullopt;
    }
    OwnService service{plan.offer->id,
                       plan.offer->from,
                       bootfile_of(*plan.offer, http_port),
                       options_for_offer(plan.offer->options),
                       {},
                       offer_told(plan),
                       plan.offer->in_user_mode};
    if (plan.offer->firmware != FirmwareFetch::none) {
        service.firmware = {firmware_file_of(*plan.offer, http_port),
                            plan.offer->firmware == FirmwareFetch::http,
                            options_for_offer(plan.offer->firmware_options())};
    }
    return service;
}

std::string own_url(const Plan& plan, std::uint16_t http_port) {
    constexpr std::string_view scheme = "http://";
    const auto root_in = [&](const std::string& text) {
        const std::size_t begin = text.find(scheme);
        const std::size_t end = begin == std::string::npos ? begin : text.find('/', begin + scheme.size());
        return end == std::string::npos ? std::string{} : text.substr(begin, end + 1 - begin);
    };
    if (plan.offer && plan.offer->http_port) {
        return root_in(bootfile_of(*plan.offer, http_port));
    }
    if (plan.offer && plan.offer->firmware_http_port) {
        return root_in(firmware_file_of(*plan.offer, http_port));
    }
    const auto named = std::find_if(plan.args.begin(), plan.args.end(),
                                    [](const PlannedArg& arg) { return arg.http_port.has_value(); });
    return named == plan.args.end() ? "" : root_in(argv_of({*named}, http_port).back());
}

RunInputs run_inputs(const Settings& settings, const VmSpec& spec, const Plan& plan) {
    return {{observer_config(settings, spec, plan),
             shortcuts_config(spec),
             pausable_nics(settings, spec),
             repeat_offers_to(spec),
             {},
             probe_question(plan),
             {},
             {}},
            report_head(spec, plan)};
}

}  // namespace vml
