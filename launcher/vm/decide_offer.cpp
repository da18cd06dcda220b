#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/url.h"
#include "launcher/settings/nic_options.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/kernel_script.h"

namespace vml {

namespace {

constexpr std::array<std::string_view, 4> sources{"netboot-dir", "script", "kernel", "bootfile"};

// The first setting that says what is to be served.
std::string_view source_of(const DecideInput& in) {
    const auto* const found = std::find_if(sources.begin(), sources.end(),
                                           [&](std::string_view flag) { return in.origins.contains(flag); });
    return found == sources.end() ? std::string_view{} : *found;
}

// The first of the host's addresses on the bridge. Where all comes from a URL, nothing comes from there, and
// the offer still has to be somebody's: RFC 7600, the dummy address of IPv4.
net::Ipv4Address address_on(const DecideInput& in, const std::string& bridge, bool serves,
                            Findings& findings) {
    constexpr net::Ipv4Address dummy{192, 0, 0, 8};
    const net::Link* link = net::link_named(in.facts.network->links, bridge);
    if (link == nullptr) {
        return dummy;  // that there is none is a fault already
    }
    if (!link->addresses.empty()) {
        return link->addresses.front();
    }
    if (serves) {
        findings.host_fault(
            fmt::format("{}: this host has no IPv4 address on {}", in.origin(source_of(in)), bridge),
            "vm-launch serves its guest on a bridge by HTTP from there",
            fmt::format("ip addr add ADDRESS/LENGTH dev {}, with an address of the guest's network; or let "
                        "a server of the network serve it",
                        bridge));
    }
    return dummy;
}

}  // namespace

net::Ipv4Address user_mode_host(const DecideInput& in) {
    const std::uint32_t address = host_of(in.settings.nics[netboot_nic(in.settings).value_or(0)].guest_ip);
    return {static_cast<std::uint8_t>(address >> 24U), static_cast<std::uint8_t>(address >> 16U),
            static_cast<std::uint8_t>(address >> 8U), static_cast<std::uint8_t>(address)};
}

// QEMU's DHCP has room for so much, and ends at once where there is more (libslirp src/bootp.h, bp_file). A
// URL that is longer is named by a script, which iPXE follows.
void name_by_script(const DecideInput& in, Netboot& netboot, Findings& findings) {
    constexpr std::size_t longest = 127;
    constexpr std::size_t longest_server = 29;  // "http://255.255.255.255:65535/"
    if (!netboot.bootfile || (netboot.http ? longest_server + url_path(*netboot.bootfile).size()
                                           : netboot.bootfile->size()) <= longest) {
        return;
    }
    if (is_url(*netboot.bootfile) && (in.settings.ipxe || netboot.firmware_file) &&
        !fault_of_url(*netboot.bootfile)) {
        netboot.files.push_back({"chain.ipxe", {}, fmt::format("#!ipxe\nchain {}\n", *netboot.bootfile)});
        netboot.bootfile = "chain.ipxe";
        netboot.http = true;
        return;
    }
    findings.settings_fault(
        fmt::format("{}: the name is too long for DHCP: {}",
                    in.origin(in.settings.script ? "script" : "bootfile"), *netboot.bootfile),
        fmt::format("at most {} bytes fit", longest - (netboot.http ? longest_server : 0)),
        "give it a shorter name");
}

void decide_offer(const DecideInput& in, const NicFrame& frame, std::size_t index, Netboot& netboot,
                  Findings& findings) {
    const std::string_view source = source_of(in);
    if (source.empty() || !boots_from(in.settings, BootDevice::network) ||
        !takes_part_in_boot(in.settings.nics[index], index)) {
        netboot = {};
        return;
    }
    const bool by_firmware = boots_by_firmware(in.settings, index, frame.firmware);
    if (!in.settings.ipxe && !by_firmware) {
        findings.settings_fault(
            fmt::format("{}: on a bridge it is iPXE or UEFI's own client that vm-launch serves",
                        in.origin(source)),
            "SeaBIOS has no network client of its own", "add --ipxe, or --firmware uefi");
    }
    if (by_firmware && netboot.bootfile) {
        netboot.firmware_fetch =
            in.settings.pxe == PxeClient::http4 ? FirmwareFetch::http : FirmwareFetch::tftp;
    }
    if (netboot.bootfile) {
        netboot.offered_from =
            address_on(in, in.settings.nics[index].bridge.value_or(""), netboot.http, findings);
    }
}

// What is served is for one guest alone, and a macvtap has no place where it could be handed to that one.
void check_netboot_settings(const DecideInput& in, Findings& findings) {
    if (netboot_nic(in.settings)) {
        return;
    }
    if (in.settings.proxydhcp) {
        findings.note(
            fmt::format("{} has no effect without --network=isolated: over a macvtap vm-launch "
                        "serves nobody",
                        in.origin("proxydhcp")));
    }
    std::vector<std::string_view> flags{sources.begin(), sources.end()};
    flags.emplace_back("dhcp-option");
    for (const std::string_view flag : flags) {
        if (in.origins.contains(flag)) {
            findings.settings_fault(
                fmt::format("{} needs a NIC in user mode, on an isolated segment or on a bridge",
                            in.origin(flag)),
                "what the host sends over a macvtap goes out to the network, and this host cannot reach "
                "its own macvtap guests",
                "a NIC on a bridge (--bridge NAME), in user mode (--network nat) or on a segment (--network "
                "isolated); or let the network's own servers serve it");
        }
    }
}

}  // namespace vml
