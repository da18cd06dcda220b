#include <algorithm>
#include <string>
#include <variant>

#include <fmt/format.h>

#include "launcher/vm/decide_parts.h"
#include "launcher/vm/link_kind.h"
#include "netsetup/mac_use.h"

namespace vml {

namespace {

bool boots_first_from(const VmSpec& spec, const NicSpec& nic) {
    const std::vector<BootEntry>& order = spec.first_boot.empty() ? spec.boot_order : spec.first_boot;
    return !order.empty() && order.front().kind == BootDevice::network &&
           (order.front().device == nic.id || (nic.by_program && order.front().device == ipxe_device));
}

// Architectures: RFC 4578, 2.1, and IANA's registry of processor architecture types for HTTP. The UNDI
// versions are those of SeaBIOS's and edk2's clients, and of iPXE on them (src/include/ipxe/dhcp_arch.h,
// src/net/udp/dhcp.c).
ClientWords words_of_client(const VmSpec& spec, const NicSpec& nic) {
    const bool uefi = spec.firmware.mode != FirmwareMode::legacy;
    const bool ipxe = nic.has_ipxe() || nic.by_program;  // BIOS's own client is a ROM too, and that is iPXE
    const bool http = !ipxe && spec.pxe == PxeClient::http4;
    const bool arm = spec.arch == Arch::aarch64;
    ClientWords words;
    words.arch = http ? (arm ? 19 : 16) : arm ? 11 : uefi ? 7 : 0;
    words.vendor_class = fmt::format("{}Client:Arch:{:05}:UNDI:{}", http ? "HTTP" : "PXE", words.arch,
                                     !uefi  ? "002001"
                                     : ipxe ? "003010"
                                            : "003000");
    words.user_class = ipxe ? "iPXE" : "";
    words.uuid = spec.uuid;
    return words;
}

// Why the settings leave the network alone, unless it was to be; empty: they do not.
std::string unasked_by_settings(const DecideInput& in, const VmSpec& spec, const NicSpec* first) {
    const bool by_ipv6 = spec.pxe == PxeClient::v6 || spec.pxe == PxeClient::http6;
    return !in.settings.fast_boot ? fmt::format("{} leaves the network alone", in.origin("fast-boot"))
           : !in.settings.boot_watch
               ? fmt::format("{}: nobody looks for the answers", in.origin("boot-watch"))
           : first == nullptr ? "the guest boots first from neither a bridge nor a device of the host's"
           : by_ipv6 && !in.settings.ipxe
               ? fmt::format("the guest's client asks for IPv6 alone ({})", in.origin("pxe"))
               : "";
}

// Who asks in the name of an address draws the frames for it: from whoever has it, if that is not the guest.
bool is_mac_in_use(const DecideInput& in, const NicSpec& nic) {
    const auto* port = std::get_if<BridgePort>(&nic.net);
    const net::Link* bridge =
        port == nullptr ? nullptr : net::link_named(in.facts.network->links, port->bridge);
    const auto mac = mac_from_text(nic.mac);
    return bridge != nullptr && bridge->bridge && mac &&
           !net::uses_on_bridge(*mac, *bridge, *in.facts.network).empty();
}

}  // namespace

void decide_probe(const DecideInput& in, VmSpec& spec, Findings& findings) {
    if (in.settings.probe == ProbeChoice::off) {
        return;
    }
    const auto first = std::find_if(spec.nics.begin(), spec.nics.end(), [&](const NicSpec& nic) {
        return kind_of(nic.net).on_host && boots_first_from(spec, nic);
    });
    NicSpec* nic = first == spec.nics.end() ? nullptr : &*first;
    if (const std::string why = unasked_by_settings(in, spec, nic); !why.empty()) {
        if (in.origins.contains("probe")) {
            findings.note(fmt::format("{}: nobody is asked: {}", in.origin("probe"), why));
        }
    } else if (!nic->watched) {
        nic->unprobed = fmt::format("that needs CAP_NET_RAW: {}", errno_text(in.facts.capture_error));
    } else if (is_mac_in_use(in, *nic)) {
        nic->unprobed = "its MAC address may be in use";
    } else {
        nic->probe = words_of_client(spec, *nic);
    }
    if (nic != nullptr && !nic->unprobed.empty() && in.origins.contains("probe")) {
        findings.note(fmt::format("{}: nobody is asked: {}", in.origin("probe"), nic->unprobed));
    }
}

}  // namespace vml
