#include <algorithm>

#include <fmt/format.h>

#include "launcher/vm/decide_parts.h"
#include "launcher/vm/link_kind.h"

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
ClientWords words_of_client(const DecideInput& in, const VmSpec& spec, const NicSpec& nic) {
    const bool uefi = spec.firmware.mode != FirmwareMode::legacy;
    const bool ipxe = in.settings.ipxe && (nic.rom || nic.by_program);
    const bool http = !ipxe && spec.pxe == PxeClient::http4;
    const bool arm = spec.arch == Arch::aarch64;
    ClientWords words;
    words.arch = http ? (arm ? 19 : 16) : arm ? 11 : uefi ? 7 : 0;
    words.vendor_class = fmt::format("{}Client:Arch:{:05}:UNDI:{}", http ? "HTTP" : "PXE", words.arch,
                                     !uefi  ? "002001"
                                     : ipxe ? "003010"
                                            : "003000");
    words.user_class = ipxe ? "iPXE" : "";
    return words;
}

}  // namespace

// A client that asks for IPv6 alone gets nothing of DHCP's.
void decide_probe(const DecideInput& in, VmSpec& spec) {
    const bool by_ipv6 = spec.pxe == PxeClient::v6 || spec.pxe == PxeClient::http6;
    if (in.settings.probe == ProbeChoice::off || !in.settings.fast_boot || (by_ipv6 && !in.settings.ipxe)) {
        return;
    }
    const auto first = std::find_if(spec.nics.begin(), spec.nics.end(), [&](const NicSpec& nic) {
        return kind_of(nic.net).on_host && boots_first_from(spec, nic);
    });
    if (first != spec.nics.end()) {
        first->probe = words_of_client(in, spec, *first);
    }
}

}  // namespace vml
