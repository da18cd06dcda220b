#include <algorithm>

#include <fmt/format.h>

#include "base/overloaded.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/identity.h"
#include "launcher/vm/link_kind.h"
#include "launcher/vm/offer_options.h"
#include "rom/catalogue.h"

namespace vml {

namespace {

void check_queues(const DecideInput& in, std::size_t index, Findings& findings) {
    const NicSettings& nic = in.settings.nics[index];
    if (nic.queues > 1 && (nic.model != "virtio" || !kind_of(net_of(nic)).on_host)) {
        findings.settings_fault(fmt::format("{}: several queues need a virtio NIC on bridge or direct",
                                            nic_words(in, index, "nic-queues")),
                                "", "leave the queues out");
    }
}

void check_segment(const DecideInput& in, std::size_t index, Findings& findings) {
    constexpr unsigned least_mtu = 1280;  // RFC 8200, 5
    const unsigned mtu = in.settings.nics[index].mtu.value_or(least_mtu);
    if (mtu < least_mtu) {
        findings.settings_fault(fmt::format("{}: an isolated segment needs at least {}, and not {}",
                                            nic_words(in, index, "mtu"), least_mtu, mtu),
                                "IPv6 and DHCP need it",
                                fmt::format("leave it out, or give {} or more", least_mtu));
    }
    if (in.facts.segment_fault) {
        findings.once(*in.facts.segment_fault);
    }
}

// RFC 791, 3.1, and RFC 2131, 2: so long a datagram everybody takes, and a DHCP client too.
void check_offer(const DecideInput& in, std::size_t index, const NicSpec& nic, Findings& findings) {
    constexpr unsigned least_mtu = 576;
    const auto* const port = std::get_if<BridgePort>(&nic.net);
    const unsigned mtu = nic.mtu.value_or(least_mtu);
    if (port == nullptr || !nic.netboot.is_offered() || mtu >= least_mtu) {
        return;
    }
    const bool asked_for = in.settings.nics[index].mtu.has_value();
    findings.settings_fault(
        fmt::format("{}: vm-launch's offer on a bridge needs at least {}, and not {}",
                    asked_for ? nic_words(in, index, "mtu") : fmt::format("the MTU of {}", port->bridge),
                    least_mtu, mtu),
        "DHCP's messages and TFTP's blocks are so long",
        asked_for ? fmt::format("leave it out, or give {} or more", least_mtu)
                  : fmt::format("ip link set {} mtu 1500", port->bridge));
}

// Without its ROM.
NicSpec decide_nic(const DecideInput& in, const NicFrame& frame, std::size_t index, Findings& findings) {
    const NicSettings& wanted = in.settings.nics[index];
    const rom::NicModel& model = *rom::find_nic_model(wanted.model);
    NicSpec nic;
    nic.id = fmt::format("net{}", index);
    nic.model = model.name;
    nic.qemu_device = model.qemu_device;
    nic.mac = wanted.mac.value_or(mac_of(frame.identity, static_cast<int>(index) + 1));
    nic.queues = wanted.queues;
    check_queues(in, index, findings);
    const NicPlace place{in, frame, index};
    nic.net = std::visit(
        Overloaded{
            [&](const Nat&) -> NicNet {
                nic.mtu = wanted.mtu;
                return decide_nat(in, index, findings);
            },
            [&](const BridgePort& port) -> NicNet { return decide_bridge_port(place, port, nic, findings); },
            [&](const Macvtap& macvtap) -> NicNet { return decide_macvtap(place, macvtap, nic, findings); },
            [&](const Isolated& net) -> NicNet {
                nic.mtu = wanted.mtu;
                check_segment(in, index, findings);
                return net;
            }},
        net_of(wanted));
    if (netboot_nic(in.settings) == index) {
        nic.netboot = decide_netboot(in, frame, index, findings);
        check_offer(in, index, nic, findings);
        check_offer_size(in, index, nic, findings);
    }
    return nic;
}

// The firmware starts the program before any ROM, and the program drives every NIC: a ROM that fits
// another NIC of the VM's would have no turn.
void leave_to_program(const Settings& settings, std::vector<NicSpec>& nics) {
    for (std::size_t i = 0; i < nics.size(); ++i) {
        nics[i].rom.reset();
        nics[i].by_program = takes_part_in_boot(settings.nics[i], i);
    }
}

// The firmware's own client boots all the same, and may need no ROM.
void check_rom_use(const DecideInput& in, const NicFrame& frame, const std::vector<NicSpec>& nics,
                   Findings& findings) {
    const bool any_rom = std::any_of(nics.begin(), nics.end(), [](const NicSpec& nic) { return nic.rom; });
    if (!in.settings.ipxe_rom || any_rom || in.settings.ipxe || !findings.no_fault()) {
        return;
    }
    const std::string what = fmt::format("{} has no effect", in.origin("ipxe-rom"));
    if (frame.firmware != FirmwareMode::legacy && boots_from(in.settings, BootDevice::network)) {
        findings.note(what + ": the firmware's own client boots, without it (--ipxe asks for iPXE)");
    } else {
        findings.settings_fault(what, "iPXE is not asked for", "add --ipxe (IPXE_ENABLE=1)");
    }
}

void check_mac_clash(const std::vector<NicSpec>& nics, Findings& findings) {
    for (std::size_t i = 0; i < nics.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (nics[i].mac == nics[j].mac) {
                findings.settings_fault(
                    fmt::format("NIC {} and NIC {} have the same MAC address {}", j + 1, i + 1, nics[i].mac),
                    "", "give each its own, or leave them out");
            }
        }
    }
}

// The segment's door is opened by the VM that runs, and this one waits there before it does.
void check_segment_clash(const std::vector<NicSpec>& nics, Findings& findings) {
    for (std::size_t i = 0; i < nics.size(); ++i) {
        const std::string_view segment = host_link_of(nics[i].net);
        for (std::size_t j = 0; j < i; ++j) {
            if (kind_of(nics[i].net).on_segment && !segment.empty() && nics[i].net == nics[j].net) {
                findings.settings_fault(
                    fmt::format("NIC {} and NIC {} are both on the segment {}", j + 1, i + 1, segment), "",
                    "give each a segment of its own");
            }
        }
    }
}

}  // namespace

std::string nic_words(const DecideInput& in, std::size_t index, std::string_view flag) {
    if (index == 0) {
        return in.origin(flag);
    }
    const auto found = in.origins.find(nic_origin(index, flag));
    return found == in.origins.end() ? fmt::format("NIC {}", index + 1) : found->second;
}

NicChoice decide_nics(const DecideInput& in, const NicFrame& frame, Findings& findings) {
    NicChoice choice;
    for (std::size_t index = 0; index < in.settings.nics.size(); ++index) {
        NicSpec nic = decide_nic(in, frame, index, findings);
        nic.rom = decide_rom(in, frame, index, choice.ipxe_program, findings);
        choice.nics.push_back(std::move(nic));
    }
    if (choice.ipxe_program) {
        leave_to_program(in.settings, choice.nics);
    }
    check_nat_settings(in, findings);
    check_netboot_sources(in, findings);
    check_netboot_settings(in, findings);
    check_mac_clash(choice.nics, findings);
    check_segment_clash(choice.nics, findings);
    check_rom_use(in, frame, choice.nics, findings);
    return choice;
}

}  // namespace vml
