#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "launcher/settings/dhcp_option.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/firmware_client.h"
#include "launcher/vm/offer_options.h"

namespace vml {

namespace {

void check_each_once(const DecideInput& in, Findings& findings) {
    const std::vector<DhcpOption>& all = in.settings.dhcp_options;
    for (auto option = all.begin(); option != all.end(); ++option) {
        if (std::any_of(all.begin(), option, [&](const DhcpOption& other) {
                return other.code == option->code && other.inner == option->inner;
            })) {
            findings.settings_fault(
                fmt::format("{}: option {} is given twice", in.origin("dhcp-option"), to_string(*option)), "",
                "give each once");
        }
    }
}

// QEMU's own DHCP is what answers here.
void tell_of_own_dhcp(const DecideInput& in, bool by_firmware, Findings& findings) {
    findings.settings_fault(
        by_firmware
            ? fmt::format("{}: the firmware's HTTP client gets nothing of it", in.origin("dhcp-option"))
            : fmt::format("{}: vm-launch makes no offer, as iPXE is not asked for", in.origin("dhcp-option")),
        "QEMU's own DHCP answers, which sends no options but its own",
        by_firmware ? "use --pxe v4; what is started by HTTP is handed no DHCP options anyway"
                    : "add --ipxe");
}

template <typename Which>
std::vector<DhcpOption> those(const std::vector<DhcpOption>& options, Which&& which) {
    std::vector<DhcpOption> some;
    std::copy_if(options.begin(), options.end(), std::back_inserter(some), std::forward<Which>(which));
    return some;
}

bool is_vendor_options(const DhcpOption& option) {
    return option.code == vendor_options && !option.inner;
}

// "option 175.83", "options 209 (config-file) and 210 (path-prefix)"
std::string words_for(const std::vector<DhcpOption>& options) {
    std::vector<std::string> names;
    names.reserve(options.size());
    for (const DhcpOption& option : options) {
        names.push_back(to_string(option));
    }
    return fmt::format("option{} {}", options.size() > 1 ? "s" : "", listed(names, "and"));
}

// What nobody gets, though others of them have their taker.
std::vector<Fault> untaken(const DecideInput& in, const OptionTakers& takers) {
    std::vector<Fault> faults;
    const auto add = [&](const std::vector<DhcpOption>& options, std::string why) {
        if (!options.empty()) {
            faults.push_back({fmt::format("{}: nobody gets {}", in.origin("dhcp-option"), words_for(options)),
                              std::move(why),
                              fmt::format("add --ipxe, or leave {} out", options.size() > 1 ? "them" : "it"),
                              ExitCode::settings});
        }
    };
    if (takers.ipxe) {
        return faults;
    }
    const std::vector<DhcpOption>& all = in.settings.dhcp_options;
    add(those(all, [](const DhcpOption& option) { return option.inner.has_value(); }),
        "what is inside of option 175 is for iPXE alone, and none is started here");
    if (!takers.system && takers.firmware == serve::BootClient::pxe) {
        add(those(all, is_vendor_options),
            "UEFI's PXE client gets vm-launch's own, by which it takes the file that it is offered");
    }
    return faults;
}

// In vain alone they are refused; beside others, or where somebody unknown may ask, they are told of.
void tell_of_untaken(const DecideInput& in, const OptionTakers& takers, Findings& findings) {
    const std::vector<DhcpOption>& all = in.settings.dhcp_options;
    const bool any_taken =
        takers.ipxe || takers.system || std::any_of(all.begin(), all.end(), [&](const DhcpOption& option) {
            return !option.inner && !(is_vendor_options(option) && takers.firmware == serve::BootClient::pxe);
        });
    for (Fault& fault : untaken(in, takers)) {
        if (any_taken) {
            findings.note(one_line(fault));
        } else {
            findings.add(std::move(fault));
        }
    }
}

// Of what vm-launch needs itself, its own is sent.
void note_kept_from_firmware(const DecideInput& in, const OptionTakers& takers, Findings& findings) {
    const std::vector<DhcpOption> kept = those(in.settings.dhcp_options, is_vendor_options);
    if (takers.ipxe && takers.firmware == serve::BootClient::pxe && !kept.empty()) {
        findings.note(
            fmt::format("{}: {} is sent to iPXE alone: UEFI's PXE client gets vm-launch's own, by "
                        "which it takes the file that it is offered",
                        in.origin("dhcp-option"), words_for(kept)));
    }
}

// What is sent there is sent to whoever asks over IPv4.
void note_asked_by_six(const DecideInput& in, std::size_t index, const OptionTakers& takers,
                       Findings& findings) {
    const bool by_six = in.settings.pxe == PxeClient::v6 || in.settings.pxe == PxeClient::http6;
    const std::vector<DhcpOption> sent =
        those(in.settings.dhcp_options, [](const DhcpOption& option) { return !option.inner; });
    if (by_six && !takers.ipxe && !sent.empty() &&
        boots_by_firmware(in.settings, index,
                          firmware_of(in.settings, arch_of(in.settings, in.facts.arch)))) {
        findings.note(
            fmt::format("{}: only an operating system gets {}: the client that {} names asks by "
                        "DHCPv6, whose options are others (use --pxe v4 or http4)",
                        in.origin("dhcp-option"), words_for(sent), in.origin("pxe")));
    }
}

// None: there is one, or QEMU's own DHCP answers in its place.
std::optional<Fault> no_offer(const DecideInput& in, std::size_t index, const Netboot& netboot) {
    Fault fault{fmt::format("{}: there is no offer that could have it", in.origin("dhcp-option")), "", "",
                ExitCode::settings};
    if (!boots_from(in.settings, BootDevice::network)) {
        fault.why = "nothing boots from the network here";
        fault.hint = "add --ipxe, or --boot-order network,hd";
    } else if (!takes_part_in_boot(in.settings.nics[index], index)) {
        fault.why = fmt::format("it is for NIC {}, which takes no part in the boot", index + 1);
        fault.hint = "let that NIC boot (boot=on), or leave the option out";
    } else if (!netboot.bootfile) {
        fault.why = "vm-launch has nothing that it could offer to the guest";
        fault.hint = "add --script, --kernel, --netboot-dir or --bootfile, which vm-launch offers";
    } else {
        return std::nullopt;
    }
    return fault;
}

// In user mode the offer names what QEMU's DHCP does, by TFTP; the options are all that it is for.
void offer_in_user_mode(const DecideInput& in, bool by_firmware, Netboot& netboot) {
    netboot.offered_from = user_mode_host(in);
    if (by_firmware && !fetches_by_http(in.settings)) {
        netboot.firmware_fetch = FirmwareFetch::tftp;
    }
}

}  // namespace

void decide_dhcp_options(const DecideInput& in, std::size_t index, bool can_boot, Netboot& netboot,
                         Findings& findings) {
    const Settings& settings = in.settings;
    if (settings.dhcp_options.empty()) {
        return;
    }
    check_each_once(in, findings);
    if (settings.nics[index].network == NetworkMode::isolated) {
        netboot.options = settings.dhcp_options;  // of vm-launch's own answer
        const OptionTakers takers = option_takers(in, index, netboot);
        tell_of_untaken(in, takers, findings);
        note_asked_by_six(in, index, takers, findings);
        return;
    }
    if (!can_boot) {
        findings.note(fmt::format("{} has no effect: the firmware's own client gets nothing to boot here",
                                  in.origin("dhcp-option")));
        return;
    }
    if (auto fault = no_offer(in, index, netboot)) {
        findings.add(*std::move(fault));
        return;
    }
    const bool by_firmware =
        boots_by_firmware(settings, index, firmware_of(settings, arch_of(settings, in.facts.arch)));
    const bool in_user_mode = settings.nics[index].network == NetworkMode::nat;
    if (in_user_mode && !netboot.firmware_file && !settings.ipxe &&
        (!by_firmware || fetches_by_http(settings))) {
        tell_of_own_dhcp(in, by_firmware, findings);
        return;
    }
    netboot.options = settings.dhcp_options;
    if (in_user_mode) {
        offer_in_user_mode(in, by_firmware, netboot);
    }
    const OptionTakers takers = option_takers(in, index, netboot);
    tell_of_untaken(in, takers, findings);
    note_kept_from_firmware(in, takers, findings);
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
