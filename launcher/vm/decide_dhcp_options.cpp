#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "launcher/settings/dhcp_option.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/firmware_client.h"

namespace vml {

namespace {

// iPXE takes a message of an Ethernet frame's size (option 57 of its search; src/net/udp/dhcp.c), and UEFI's
// clients say that they do (1472 bytes of it; edk2 PxeBcImpl.h). So much is left of it, beside the header,
// vm-launch's own options and a bootfile of 255 bytes.
constexpr std::size_t most_bytes = 900;
constexpr std::size_t most_inside = 250;  // of option 175, beside vm-launch's own

void check_options(const DecideInput& in, Findings& findings) {
    const std::vector<DhcpOption>& all = in.settings.dhcp_options;
    std::size_t outside = 0;
    std::size_t inside = 0;
    for (auto option = all.begin(); option != all.end(); ++option) {
        (option->inner ? inside : outside) += option->value.size() + 2;
        if (std::any_of(all.begin(), option, [&](const DhcpOption& other) {
                return other.code == option->code && other.inner == option->inner;
            })) {
            findings.settings_fault(
                fmt::format("{}: option {} is given twice", in.origin("dhcp-option"), to_string(*option)), "",
                "give each once");
        }
    }
    if (outside > most_bytes || inside > most_inside) {
        findings.settings_fault(
            fmt::format("{}: the options are too long for one offer", in.origin("dhcp-option")),
            fmt::format("{} bytes, of which {} are taken{}", outside + inside, most_bytes,
                        inside > most_inside
                            ? fmt::format("; inside of option 175 {}, of which {} are", inside, most_inside)
                            : ""),
            "let iPXE's script set the rest");
    }
}

// QEMU's own DHCP is what answers here.
void tell_of_own_dhcp(const DecideInput& in, bool by_firmware, Findings& findings) {
    findings.settings_fault(
        by_firmware
            ? fmt::format("{}: the firmware's HTTP client gets nothing of it", in.origin("dhcp-option"))
            : fmt::format("{}: vm-launch makes no offer, as iPXE is not asked for", in.origin("dhcp-option")),
        "QEMU's own DHCP answers, and sends no options of anybody's",
        by_firmware ? "use --pxe v4; what is started by HTTP is handed no DHCP options anyway"
                    : "add --ipxe");
}

// Of what vm-launch needs itself, its own is sent.
void note_kept_from_firmware(const DecideInput& in, const Netboot& netboot, Findings& findings) {
    const std::vector<DhcpOption>& all = in.settings.dhcp_options;
    const bool has_vendor_options = std::any_of(all.begin(), all.end(), [](const DhcpOption& option) {
        return option.code == vendor_options && !option.inner;
    });
    if (has_vendor_options && netboot.firmware_fetch == FirmwareFetch::tftp) {
        findings.note(fmt::format(
            "{}: option 43 {}: UEFI's PXE client gets vm-launch's own, by which it takes the file that it is "
            "offered",
            in.origin("dhcp-option"), netboot.firmware_file ? "is sent to iPXE alone" : "is not sent"));
    }
}

// In user mode the offer names what QEMU's DHCP does, by TFTP; the options are all that it is for.
void offer_in_user_mode(const DecideInput& in, bool by_firmware, Netboot& netboot) {
    netboot.offered_from = user_mode_host(in);
    if (by_firmware && !fetches_by_http(in.settings)) {
        netboot.firmware_fetch = FirmwareFetch::tftp;
    }
}

}  // namespace

void decide_dhcp_options(const DecideInput& in, std::size_t index, Netboot& netboot, Findings& findings) {
    if (in.settings.dhcp_options.empty()) {
        return;
    }
    check_options(in, findings);
    if (in.settings.nics[index].network == NetworkMode::isolated) {
        netboot.options = in.settings.dhcp_options;  // of vm-launch's own answer, to whoever asks
        return;
    }
    const bool by_firmware =
        boots_by_firmware(in.settings, index, firmware_of(in.settings, arch_of(in.settings, in.facts.arch)));
    const bool in_user_mode = in.settings.nics[index].network == NetworkMode::nat;
    const bool boots =
        takes_part_in_boot(in.settings.nics[index], index) && boots_from(in.settings, BootDevice::network);
    if (!boots || !netboot.bootfile) {
        findings.settings_fault(
            fmt::format("{}: there is no offer that could have it", in.origin("dhcp-option")),
            boots ? "vm-launch has nothing that it could offer to the guest's iPXE"
                  : "nothing boots from the network here",
            "add --script, --kernel, --netboot-dir or --bootfile, which vm-launch offers to iPXE");
    } else if (in_user_mode && !netboot.firmware_file && !in.settings.ipxe &&
               (!by_firmware || fetches_by_http(in.settings))) {
        tell_of_own_dhcp(in, by_firmware, findings);
    } else {
        netboot.options = in.settings.dhcp_options;
        if (in_user_mode) {
            offer_in_user_mode(in, by_firmware, netboot);
        }
        note_kept_from_firmware(in, netboot, findings);
    }
}

bool names_by_proxy(const DecideInput& in, const NicFrame& frame, std::size_t index, Findings& findings) {
    if (!in.settings.proxydhcp) {
        return false;
    }
    if (in.settings.nics[index].network != NetworkMode::isolated) {
        findings.note(
            fmt::format("{} has no effect without --network=isolated: elsewhere another server "
                        "gives the guest its address",
                        in.origin("proxydhcp")));
        return false;
    }
    const bool by_six = in.settings.pxe == PxeClient::v6 || in.settings.pxe == PxeClient::http6;
    if (by_six && boots_by_firmware(in.settings, index, frame.firmware)) {
        findings.settings_fault(
            fmt::format("{}: ProxyDHCP exists for IPv4 only, and {} is {}", in.origin("proxydhcp"),
                        in.origin("pxe"), to_string(*in.settings.pxe)),
            "it asks by DHCPv6, in which the server that gives the address names the file too (RFC 5970)",
            fmt::format("leave {} out, or use --pxe v4 or http4", in.origin("proxydhcp")));
    }
    return true;
}

}  // namespace vml
