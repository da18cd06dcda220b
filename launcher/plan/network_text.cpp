#include "launcher/plan/network_text.h"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "launcher/plan/by_hand.h"
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

std::string words_for_options(const std::vector<DhcpOption>& options) {
    return fmt::format("DHCP option{} {}", options.size() > 1 ? "s" : "",
                       listed(names_of_options(options), "and"));
}

std::string with_options(const std::vector<DhcpOption>& options) {
    return options.empty() ? "" : ", with the " + words_for_options(options);
}

// Whoever asks over IPv4 gets them, but for iPXE's own.
std::string segment_options(const std::vector<DhcpOption>& options) {
    std::vector<DhcpOption> for_all = options;
    std::vector<DhcpOption> for_ipxe;
    std::erase_if(for_all, [](const DhcpOption& option) { return option.inner.has_value(); });
    std::copy_if(options.begin(), options.end(), std::back_inserter(for_ipxe),
                 [](const DhcpOption& option) { return option.inner.has_value(); });
    const auto line = [](std::string_view whom, const std::vector<DhcpOption>& sent) {
        return sent.empty() ? "" : fmt::format("  {} is sent the {}\n", whom, words_for_options(sent));
    };
    return line("whoever asks over IPv4", for_all) + line("iPXE alone", for_ipxe);
}

// As the network's servers would name it: without vm-launch's own.
std::string named_by_hand(const std::string& file, const std::optional<HttpPort>& port) {
    return printable(port ? file.substr(file.find('/', std::string_view{"http://"}.size()) + 1) : file);
}

// Of all that are sent to anybody. iPXE, where it is offered anything, gets each of them.
std::string options_by_hand(const PlannedOffer& offer) {
    const std::vector<DhcpOption> sent =
        offer.bootfile.empty() ? offer.firmware_options() : offer.ipxe_options();
    return sent.empty() ? "" : fmt::format("# by hand nobody sends the {}\n", words_for_options(sent));
}

// iPXE would get itself again.
std::string missing_in_user_mode(const PlannedOffer& offer) {
    const std::string chain = fmt::format(
        "# by hand nobody offers iPXE anything: where it gets itself again, Ctrl-B and: dhcp && chain {}\n",
        named_by_hand(shown_bootfile(offer), offer.http_port));
    return (offer.bootfile.empty() ? "" : chain) + options_by_hand(offer);
}

std::string missing_on_link(const PlannedOffer& offer) {
    const auto missing = [](std::string_view who, const std::string& file, bool is_own) {
        return fmt::format(
            "# by hand nobody offers {} anything: the network's own servers have to name {}{}\n", who, file,
            is_own ? " and serve it" : "");
    };
    std::string text;
    if (offer.firmware != FirmwareFetch::none) {
        const bool is_own = offer.firmware == FirmwareFetch::tftp || offer.firmware_http_port;
        text += missing("the firmware", named_by_hand(offer.firmware_file, offer.firmware_http_port), is_own);
    }
    if (!offer.bootfile.empty()) {
        text += missing("iPXE", named_by_hand(shown_bootfile(offer), offer.http_port),
                        offer.http_port.has_value());
    }
    return text + options_by_hand(offer);
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
            "\nThe firmware of {} gets its address from {}, and {} from vm-launch: a ProxyDHCP offer, to "
            "this guest alone{}{}\n",
            offer.id, offer.in_user_mode ? "QEMU" : "the network", shown_firmware_file(offer),
            offer.tftp_block > 0 ? ", as are port 4011 and TFTP" : "",
            with_options(offer.firmware_options()));
    }
    if (!offer.bootfile.empty()) {
        text += fmt::format(
            "\nThe iPXE of {} gets its address from {}, and {} from vm-launch: a ProxyDHCP offer, to "
            "this guest alone{}\n",
            offer.id, offer.in_user_mode ? "QEMU" : "the network", shown_bootfile(offer),
            with_options(offer.ipxe_options()));
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
        text += segment_options(segment.options);
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
            {"options", names_of_options(offer.ipxe_options())},
            {"firmware_options", names_of_options(offer.firmware_options())}};
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

std::string missing_by_hand(const Plan& plan) {
    std::string text;
    if (plan.needs_own_server) {
        text += "# by hand nobody serves HTTP, by which this firmware boots: plan it with --pxe v4\n";
    } else if (plan.offer && plan.offer->in_user_mode) {
        text += missing_in_user_mode(*plan.offer);
    } else if (plan.offer) {
        text += missing_on_link(*plan.offer);
    }
    if (!plan.segments.empty()) {
        text += "# by hand nobody serves the isolated segment: no DHCP, TFTP, HTTP or DNS\n";
    }
    if (plan.http && (plan.offers_on_link() || plan.serves_on_segment())) {
        text += fmt::format("# what vm-launch would serve is {}\n",
                            plan.http_by_hand.empty()
                                ? "all of " + printable(plan.http->folder.value_or("").string())
                                : folder_by_hand(plan.name) + ", which is made here");
    }
    return text;
}

std::string probe_as_text(const PlannedProbe& probe) {
    return fmt::format(
        "\nThe network of {} is asked by a DHCPDISCOVER of the same MAC address who would answer ({}{})\n",
        probe.id, probe.words.vendor_class,
        probe.words.user_class.empty() ? "" : ", user class " + probe.words.user_class);
}

}  // namespace vml
