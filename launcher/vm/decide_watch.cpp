#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "launcher/settings/run_options.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/link_kind.h"

namespace vml {

// Its turn was in an earlier run.
void drop_idle_program(VmSpec& spec) {
    const auto is_program = [](const BootEntry& entry) { return entry.device == ipxe_device; };
    if (std::any_of(spec.first_boot.begin(), spec.first_boot.end(), is_program) ||
        std::any_of(spec.boot_order.begin(), spec.boot_order.end(), is_program)) {
        return;
    }
    spec.ipxe_program.reset();
    for (NicSpec& nic : spec.nics) {
        nic.by_program = false;
    }
}

namespace {

std::string_view who_is_offered(const Netboot& netboot) {
    if (netboot.firmware_fetch == FirmwareFetch::none) {
        return "the guest's iPXE";
    }
    return netboot.firmware_file ? "the guest's firmware and its iPXE" : "the guest's firmware";
}

}  // namespace

// The packets of the NICs that boot are evidence of the boot.
void watch_nics(const DecideInput& in, VmSpec& spec, Findings& findings) {
    spec.firmware_log = in.settings.log_level == LogLevel::debug && spec.arch == Arch::x86_64 &&
                        (spec.firmware.mode == FirmwareMode::legacy || in.settings.firmware_code);
    bool blind = false;
    for (NicSpec& nic : spec.nics) {
        const bool by_socket = kind_of(nic.net).on_host;
        const bool wanted = in.settings.boot_watch && spec.boots_from(nic);
        nic.watched = wanted && !(by_socket && in.facts.capture_error != 0);
        blind = blind || (wanted && !nic.watched);
        if (nic.netboot.is_offered() && !spec.boots_from(nic)) {
            nic.netboot = {};  // its turn was in an earlier run
        }
        if (nic.netboot.is_offered() && !nic.watched) {
            findings.host_fault(
                fmt::format("what vm-launch serves cannot be offered to {}{}", who_is_offered(nic.netboot),
                            by_socket ? fmt::format(" on {}", host_link_of(nic.net)) : ""),
                wanted ? fmt::format("the guest's search for an address cannot be seen: {}",
                                     errno_text(in.facts.capture_error))
                       : fmt::format("{}: nobody watches for the guest's search for an address",
                                     in.origin("boot-watch")),
                wanted ? "start vm-launch as root (in a container: --cap-add NET_RAW)" : "leave that out");
        }
    }
    if (blind) {
        findings.note_once(fmt::format(
            "the guest's packets cannot be seen: {} (in a container: --cap-add NET_RAW); the console "
            "alone tells of the boot",
            errno_text(in.facts.capture_error)));
    }
}

// A record has what the watch sees.
void check_record(const DecideInput& in, const VmSpec& spec, Findings& findings) {
    std::vector<std::filesystem::path> records;
    std::copy_if(in.settings.reports.begin(), in.settings.reports.end(), std::back_inserter(records),
                 [](const auto& report) { return kind_of_report(report) == ReportKind::packets; });
    if (records.empty()) {
        return;
    }
    const std::string what = fmt::format("{}: no packets for {}", in.origin("report"), records[0].string());
    const bool boots = std::any_of(spec.nics.begin(), spec.nics.end(),
                                   [&](const NicSpec& nic) { return spec.boots_from(nic); });
    if (records.size() > 1) {
        findings.settings_fault(
            fmt::format("{} names {} files for the packets", in.origin("report"), records.size()),
            "they are written once, as they come", "name one that ends with .pcapng");
    } else if (!in.settings.boot_watch) {
        findings.settings_fault(what, fmt::format("{}: nobody looks at them", in.origin("boot-watch")),
                                "leave one of the two out");
    } else if (!boots) {
        findings.settings_fault(what, "no NIC is in the boot order, and none is watched",
                                "let the guest boot from the network: --ipxe, or --boot-order with network");
    } else if (std::none_of(spec.nics.begin(), spec.nics.end(),
                            [](const NicSpec& nic) { return nic.watched; })) {
        findings.host_fault(
            what, fmt::format("the guest's packets cannot be seen: {}", errno_text(in.facts.capture_error)),
            "start vm-launch as root (in a container: --cap-add NET_RAW)");
    }
}

namespace {

// One that the decoder of packets gives back as it is (bootwatch/packet.h: what is not printable ASCII is
// '?').
bool names_a_file(const Netboot& netboot) {
    return netboot.bootfile && !netboot.bootfile->empty() &&
           std::all_of(netboot.bootfile->begin(), netboot.bootfile->end(),
                       [](char letter) { return letter >= ' ' && letter <= '~'; });
}

}  // namespace

// The waits that can be spared. A key needs a keyboard, which the virt machine lacks; there the iPXE
// program shows no prompt either. An advertisement needs a link whose other end is the guest alone: a
// tap. An offer is repeated where it is QEMU's, and nobody else can make another.
void spare_waits(const DecideInput& in, VmSpec& spec) {
    if (!in.settings.fast_boot) {
        return;
    }
    const bool has_key = !in.settings.ipxe_prompt && spec.family != MachineFamily::virt;
    spec.firmware_loads_ipxe = std::any_of(spec.nics.begin(), spec.nics.end(), [&](const NicSpec& nic) {
        return nic.watched && nic.netboot.firmware_file;
    });
    spec.key_at_prompt = has_key && (in.settings.ipxe || spec.firmware_loads_ipxe);
    if (!in.settings.ipxe) {
        return;
    }
    for (NicSpec& nic : spec.nics) {
        nic.repeat_offer = nic.watched && std::holds_alternative<Nat>(nic.net) && !nic.netboot.is_offered() &&
                           names_a_file(nic.netboot);
        nic.advertise_router = nic.watched && nic.has_ipxe() && kind_of(nic.net).link_is_guests_alone;
    }
}

}  // namespace vml
