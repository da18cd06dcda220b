#include "launcher/vm/offer_options.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "launcher/settings/dhcp_option.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/link_kind.h"
#include "netserve/dhcp_frame.h"
#include "netserve/udp_frame.h"

namespace vml {

namespace {

// iPXE of the folder's that is named as the boot program itself.
bool names_ipxe(const DecideInput& in, const Netboot& netboot) {
    return std::any_of(in.facts.boot_programs.begin(), in.facts.boot_programs.end(),
                       [&](const BootProgram& program) {
                           return program.is_ipxe && program.in_folder && program.name == netboot.bootfile;
                       });
}

OptionTakers takers_on_segment(const DecideInput& in, std::size_t index, const Netboot& netboot) {
    const FirmwareMode firmware = firmware_of(in.settings, arch_of(in.settings, in.facts.arch));
    OptionTakers takers{.system = true};
    if (!takes_part_in_boot(in.settings.nics[index], index) ||
        !boots_from(in.settings, BootDevice::network)) {
        return takers;
    }
    const bool by_firmware = boots_by_firmware(in.settings, index, firmware);
    takers.ipxe = !by_firmware || netboot.firmware_file || names_ipxe(in, netboot);
    const PxeClient client = in.settings.pxe.value_or(PxeClient::v4);
    if (by_firmware && (client == PxeClient::v4 || client == PxeClient::http4)) {
        takers.firmware = client == PxeClient::v4 ? serve::BootClient::pxe : serve::BootClient::http;
    }
    return takers;
}

std::string_view name_of(serve::BootClient client) {
    switch (client) {
        case serve::BootClient::ipxe:
            return "iPXE";
        case serve::BootClient::pxe:
            return "UEFI's PXE client";
        case serve::BootClient::http:
            return "UEFI's HTTP client";
    }
    return "";
}

unsigned mtu_for(const NicSpec& nic) {
    constexpr unsigned ethernet_mtu = 1500;  // what iPXE and edk2 take at most (edk2 PxeBcImpl.h: 1472)
    return std::min(nic.mtu.value_or(ethernet_mtu), ethernet_mtu);
}

// On a segment, in the answer that gives the address.
serve::AnswerSize size_on_segment(const NicSpec& nic, serve::BootClient client) {
    constexpr unsigned last_place = 254;  // its addresses are the longest
    serve::SegmentGuest guest{};
    guest.number = last_place;
    guest.script = nic.netboot.bootfile.value_or("");
    guest.program = nic.netboot.firmware_file.value_or(guest.script);
    guest.options = options_for_offer(nic.netboot.options);
    guest.by_proxy = nic.netboot.by_proxy;
    guest.mtu = mtu_for(nic);
    return serve::dhcp4_answer_size(guest, client);
}

// In a ProxyDHCP offer. A file's name takes no room there: one that is too long for the header's is named by
// a script (name_by_script).
serve::AnswerSize size_of_offer(const NicSpec& nic, serve::BootClient client) {
    const bool to_ipxe = client == serve::BootClient::ipxe;
    serve::ProxyOffer offer;
    offer.bootfile = std::string(serve::room_for_file - 1, 'x');
    offer.options =
        options_for_offer(to_ipxe ? nic.netboot.options
                                  : options_for_firmware(nic.netboot.options, nic.netboot.firmware_fetch));
    if (to_ipxe) {
        offer.priority = std::numeric_limits<std::int8_t>::max();
    } else if (client == serve::BootClient::http) {
        offer.vendor_class = "HTTPClient";
        offer.discovery = false;
    }
    return {serve::proxy_offer_size(offer),
            std::max(mtu_for(nic), serve::udp4_overhead) - serve::udp4_overhead};
}

// Beside vm-launch's own, which is iPXE's priority or that there is no ProxyDHCP server.
bool fit_inside(const DecideInput& in, const std::vector<DhcpOption>& options, Findings& findings) {
    constexpr std::size_t most = 255 - 3;
    std::size_t bytes = 0;
    for (const DhcpOption& option : options) {
        bytes += option.inner ? option.value.size() + 2 : 0;
    }
    if (bytes > most) {
        findings.settings_fault(
            fmt::format("{}: the options inside of option 175 are too long", in.origin("dhcp-option")),
            fmt::format("they have {} bytes, each with 2 of its own, and {} fit into that option", bytes,
                        most),
            "give fewer or shorter ones; iPXE's script can set the rest");
    }
    return bytes <= most;
}

std::string link_words(const NicSpec& nic) {
    const unsigned mtu = mtu_for(nic);
    const std::string_view link = host_link_of(nic.net);
    if (std::holds_alternative<BridgePort>(nic.net) && !link.empty()) {
        return fmt::format("{} (MTU {}) has room for", link, mtu);
    }
    return nic.mtu ? fmt::format("an MTU of {} has room for", mtu) : "it takes";
}

}  // namespace

std::vector<serve::OfferOption> options_for_offer(const std::vector<DhcpOption>& options) {
    std::vector<serve::OfferOption> offered;
    offered.reserve(options.size());
    for (const DhcpOption& option : options) {
        offered.push_back({option.inner.value_or(option.code), option.inner.has_value(), option.value});
    }
    return offered;
}

std::vector<DhcpOption> options_for_firmware(const std::vector<DhcpOption>& options, FirmwareFetch fetch) {
    std::vector<DhcpOption> sent = options;
    std::erase_if(sent, [&](const DhcpOption& option) {
        return fetch == FirmwareFetch::none || option.inner ||
               (option.code == vendor_options && fetch == FirmwareFetch::tftp);
    });
    return sent;
}

OptionTakers option_takers(const DecideInput& in, std::size_t index, const Netboot& netboot) {
    if (in.settings.nics[index].network == NetworkMode::isolated) {
        return takers_on_segment(in, index, netboot);
    }
    OptionTakers takers;
    takers.ipxe = netboot.firmware_file || netboot.firmware_fetch == FirmwareFetch::none;
    if (netboot.firmware_fetch != FirmwareFetch::none) {
        takers.firmware =
            netboot.firmware_fetch == FirmwareFetch::tftp ? serve::BootClient::pxe : serve::BootClient::http;
    }
    return takers;
}

void check_offer_size(const DecideInput& in, std::size_t index, const NicSpec& nic, Findings& findings) {
    if (nic.netboot.options.empty() || !fit_inside(in, nic.netboot.options, findings)) {
        return;
    }
    const OptionTakers takers = option_takers(in, index, nic.netboot);
    std::vector<serve::BootClient> clients;
    if (takers.ipxe) {
        clients.push_back(serve::BootClient::ipxe);
    }
    if (takers.firmware) {
        clients.push_back(*takers.firmware);
    }
    for (const serve::BootClient client : clients) {
        const bool on_segment = kind_of(nic.net).on_segment;
        const serve::AnswerSize size = on_segment ? size_on_segment(nic, client) : size_of_offer(nic, client);
        if (size.whole > size.largest) {
            const std::size_t excess = size.whole - size.largest;
            findings.settings_fault(
                fmt::format("{}: the options are too long for {}", in.origin("dhcp-option"), name_of(client)),
                fmt::format("the message that brings them would have {} bytes, and {} {}", size.whole,
                            link_words(nic), size.largest),
                fmt::format("leave out {} byte{} of them{}", excess, excess == 1 ? "" : "s",
                            takers.ipxe ? "; iPXE's script can set the rest" : ""));
            return;
        }
    }
}

}  // namespace vml
