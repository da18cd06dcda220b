#include "launcher/plan/network_text.h"

#include <sstream>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "launcher/settings/dhcp_option.h"

namespace vml {

namespace {

std::vector<std::string> names_of_options(const std::vector<DhcpOption>& options) {
    std::vector<std::string> names;
    names.reserve(options.size());
    for (const DhcpOption& option : options) {
        names.push_back(to_string(option));
    }
    return names;
}

}  // namespace

// What is served, but for the folder's own files.
nlohmann::ordered_json served_of(const Plan& plan) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    if (plan.http && plan.http->folder) {
        list.push_back({{"folder", plan.http->folder->string()}});
    }
    for (const ServedFile& file : plan.http ? plan.http->files : std::vector<ServedFile>{}) {
        list.push_back({{"name", file.name}});
        file.file.empty() ? list.back()["text"] = file.text : list.back()["file"] = file.file.string();
    }
    return list;
}

std::string served_as_text(const Netboot& netboot) {
    std::string text = "\nServed to the guest by HTTP:\n";
    for (const ServedFile& file : netboot.files) {
        text += fmt::format("  {}{}\n", file.name, file.file.empty() ? ":" : " is " + file.file.string());
        std::istringstream lines{file.text};
        for (std::string line; std::getline(lines, line);) {
            text += fmt::format("      {}\n", printable(line));
        }
    }
    return text + (netboot.folder ? fmt::format("  all of {}\n", netboot.folder->string()) : "");
}

std::string offer_as_text(const PlannedOffer& offer) {
    std::string text;
    if (offer.firmware != FirmwareFetch::none) {
        text = fmt::format(
            "\nThe firmware of {} gets its address from the network, and {} from vm-launch: a ProxyDHCP "
            "offer, to "
            "this guest alone{}\n",
            offer.id, shown_firmware_file(offer),
            offer.firmware == FirmwareFetch::tftp ? ", as are port 4011 and TFTP" : "");
    }
    if (!offer.bootfile.empty()) {
        text += fmt::format(
            "\nThe iPXE of {} gets its address from {}, and {} from vm-launch: a ProxyDHCP offer, to "
            "this guest alone{}\n",
            offer.id, offer.in_user_mode ? "QEMU" : "the network", shown_bootfile(offer),
            offer.options.empty()
                ? ""
                : ", with the DHCP options " + listed(names_of_options(offer.options), "and"));
    }
    return text;
}

std::string segments_as_text(const Plan& plan) {
    std::string text;
    for (const PlannedSegment& segment : plan.segments) {
        text += fmt::format(
            "\n{} is on {}: DHCP, DHCPv6, router advertisements, TFTP, HTTP and DNS (boot.local) are "
            "vm-launch's own there\n",
            segment.id,
            segment.segment.empty() ? "an isolated segment of its own"
                                    : "the isolated segment " + segment.segment);
        const std::string_view by = segment.by_proxy ? " by a ProxyDHCP offer" : "";
        const auto named = [&](std::string_view who, const std::string& what) {
            text += what.empty() ? "" : fmt::format("  {} is named {}{}\n", who, printable(what), by);
        };
        named("iPXE", segment.script);
        named("the firmware's own client", segment.program);
        text += segment.options.empty() ? ""
                                        : fmt::format("  with the DHCP options {}\n",
                                                      listed(names_of_options(segment.options), "and"));
    }
    return text;
}

nlohmann::ordered_json probe_of(const Plan& plan) {
    return plan.probe ? nlohmann::ordered_json{{"nic", plan.probe->id},
                                               {"client_arch", plan.probe->words.arch},
                                               {"vendor_class", plan.probe->words.vendor_class},
                                               {"user_class", plan.probe->words.user_class}}
                      : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json offer_of(const Plan& plan) {
    if (!plan.offer) {
        return nullptr;
    }
    const PlannedOffer& offer = *plan.offer;
    return {{"nic", offer.id},
            {"bootfile", offer.bootfile.empty() ? nlohmann::ordered_json(nullptr)
                                                : nlohmann::ordered_json(shown_bootfile(offer))},
            {"firmware_file", offer.firmware == FirmwareFetch::none
                                  ? nlohmann::ordered_json(nullptr)
                                  : nlohmann::ordered_json(shown_firmware_file(offer))},
            {"options", names_of_options(offer.options)}};
}

nlohmann::ordered_json segment_of(const PlannedSegment& segment) {
    const auto or_null = [](const std::string& text) {
        return text.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(text);
    };
    return {{"nic", segment.id},
            {"segment", or_null(segment.segment)},
            {"ipxe_gets", or_null(segment.script)},
            {"firmware_gets", or_null(segment.program)},
            {"options", names_of_options(segment.options)},
            {"proxydhcp", segment.by_proxy}};
}

// By hand nobody offers anything, so that iPXE would get itself again.
std::string offer_by_hand(const PlannedOffer& offer) {
    std::string file = shown_bootfile(offer);
    if (offer.http_port) {
        file = file.substr(file.find('/', std::string_view{"http://"}.size()) + 1);
    }
    return fmt::format(
        "# by hand nobody offers iPXE anything: where it gets itself again, Ctrl-B and: dhcp && chain {}\n",
        printable(file));
}

std::string probe_as_text(const PlannedProbe& probe) {
    return fmt::format(
        "\nThe network of {} is asked by a DHCPDISCOVER of the same MAC address who would answer ({}{})\n",
        probe.id, probe.words.vendor_class,
        probe.words.user_class.empty() ? "" : ", user class " + probe.words.user_class);
}

}  // namespace vml
