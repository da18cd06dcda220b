#include "launcher/plan/plan_text.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/shell.h"
#include "base/text.h"
#include "launcher/settings/dhcp_option.h"
#include "launcher/settings/values.h"

namespace vml {

namespace {

using nlohmann::ordered_json;

std::string words_of(const PlannedArg& arg) {
    return arg.value.empty() ? shell_quoted(arg.option)
                             : fmt::format("{} {}", shell_quoted(arg.option), shell_quoted(shown_value(arg)));
}

ordered_json to_json(const PlannedArg& arg) {
    ordered_json object{{"option", arg.option}, {"value", shown_value(arg)}, {"reason", arg.reason}};
    if (arg.by_hand) {
        object["by_hand"] = *arg.by_hand;
    }
    return object;
}

ordered_json to_json(const PlannedFd& fd) {
    ordered_json object{{"fd", fd.number}, {"purpose", to_string(fd.purpose)}};
    if (!fd.source.empty()) {
        object["source"] = fd.source.string();
    }
    if (!fd.kept.empty()) {
        object["kept"] = fd.kept.string();
    }
    if (fd.anew) {
        object["anew"] = true;
    }
    if (fd.size != 0) {
        object["size"] = fd.size;
    }
    if (fd.nic != 0) {
        object["nic"] = fd.nic;
    }
    return object;
}

std::string order_as_text(const std::vector<BootEntry>& order) {
    std::string text;
    for (const BootEntry& entry : order) {
        text += fmt::format("  {}. {} ({}): {}\n", entry.index, to_string(entry.kind), entry.device,
                            entry.reason);
    }
    return text;
}

ordered_json to_json(const BootEntry& entry) {
    return {{"bootindex", entry.index},
            {"kind", to_string(entry.kind)},
            {"device", entry.device},
            {"reason", entry.reason}};
}

std::string command_as_text(const std::filesystem::path& program, const std::vector<PlannedArg>& args) {
    std::string text = program.string() + "\n";
    for (const PlannedArg& arg : args) {
        text += fmt::format("  {}\n", words_of(arg));
        if (!arg.reason.empty()) {
            text += fmt::format("      # {}\n", arg.reason);
        }
    }
    return text;
}

ordered_json arguments_of(const std::vector<PlannedArg>& args) {
    return list_of(args, [](const PlannedArg& arg) { return to_json(arg); });
}

ordered_json fds_of(const std::vector<PlannedFd>& fds) {
    return list_of(fds, [](const PlannedFd& fd) { return to_json(fd); });
}

// What is served, but for the folder's own files.
ordered_json served_of(const Plan& plan) {
    ordered_json list = ordered_json::array();
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

ordered_json helpers_of(const Plan& plan) {
    ordered_json list = ordered_json::array();
    if (plan.tpm) {
        list.push_back({{"name", plan.tpm->name},
                        {"program", plan.tpm->program.string()},
                        {"arguments", arguments_of(plan.tpm->args)},
                        {"fds", fds_of(plan.tpm->fds)}});
    }
    return list;
}

std::vector<std::string> names_of_options(const std::vector<DhcpOption>& options) {
    std::vector<std::string> names;
    names.reserve(options.size());
    for (const DhcpOption& option : options) {
        names.push_back(to_string(option));
    }
    return names;
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
            "\n{} is on {}: DHCP, DHCPv6, a router's word, TFTP, HTTP and DNS (boot.local) are "
            "vm-launch's own there\n",
            segment.id,
            segment.segment.empty() ? "an isolated segment of its own"
                                    : "the isolated segment " + segment.segment);
        const auto named = [&](std::string_view who, const std::string& what) {
            text += what.empty() ? "" : fmt::format("  {} is named {}\n", who, printable(what));
        };
        named("iPXE", segment.script);
        named("the firmware's own client", segment.program);
    }
    return text;
}

ordered_json probe_of(const Plan& plan) {
    return plan.probe ? ordered_json{{"nic", plan.probe->id},
                                     {"client_arch", plan.probe->words.arch},
                                     {"vendor_class", plan.probe->words.vendor_class},
                                     {"user_class", plan.probe->words.user_class}}
                      : ordered_json(nullptr);
}

ordered_json offer_of(const Plan& plan) {
    if (!plan.offer) {
        return nullptr;
    }
    const PlannedOffer& offer = *plan.offer;
    return {
        {"nic", offer.id},
        {"bootfile", offer.bootfile.empty() ? ordered_json(nullptr) : ordered_json(shown_bootfile(offer))},
        {"firmware_file", offer.firmware == FirmwareFetch::none ? ordered_json(nullptr)
                                                                : ordered_json(shown_firmware_file(offer))},
        {"options", names_of_options(offer.options)}};
}

ordered_json to_json(const PlannedSegment& segment) {
    const auto or_null = [](const std::string& text) {
        return text.empty() ? ordered_json(nullptr) : ordered_json(text);
    };
    return {{"nic", segment.id},
            {"segment", or_null(segment.segment)},
            {"ipxe_gets", or_null(segment.script)},
            {"firmware_gets", or_null(segment.program)},
            {"options", names_of_options(segment.options)}};
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

}  // namespace

std::string plan_as_text(const Plan& plan) {
    std::string text = command_as_text(plan.program, plan.args);
    if (plan.tpm) {
        text += "\nBeside it, started before it:\n" + command_as_text(plan.tpm->program, plan.tpm->args);
    }
    if (plan.run_user) {
        const RunUser& user = *plan.run_user;
        text += fmt::format("\nQEMU runs as {} (uid {}), without any capability\n",
                            user.own ? "a user of its own" : user.name, user.uid);
    }
    if (!plan.links.empty()) {
        text += "\nLinks, before QEMU starts (undone in reverse at the end):\n";
        for (const net::Operation& operation : plan.links) {
            text += fmt::format("  {}\n", net::describe(operation));
        }
    }
    for (const PortWait& wait : plan.port_waits) {
        text += fmt::format("\nThe guest waits until its port on {} forwards: about {} s\n", wait.bridge,
                            (wait.expected.count() + 999) / 1000);
    }
    for (const WirePoint& point : plan.wire) {
        text += fmt::format(
            "\nThe packets of {} are looked at until the guest's operating system runs ({})\n", point.id,
            point.filter.empty() ? "a packet socket on its link" : "QEMU's filter-dump");
    }
    text += plan.probe ? probe_as_text(*plan.probe) : "";
    text += plan.http && !plan.http->files.empty() ? served_as_text(*plan.http) : "";
    text += plan.offer ? offer_as_text(*plan.offer) : "";
    text += segments_as_text(plan);
    if (!plan.shortcuts.empty()) {
        text += "\nFaster than stock:\n";
        for (const Shortcut& shortcut : plan.shortcuts) {
            text += fmt::format("  {}{}: {}\n", to_string(shortcut.kind),
                                shortcut.nic.empty() ? "" : " for " + shortcut.nic, shortcut.reason);
        }
    }
    if (!plan.first_boot.empty()) {
        text += "\nFirst boot:\n" + order_as_text(plan.first_boot);
    }
    text += (plan.first_boot.empty() ? "\nBoot order:\n" : "\nFrom the first reset on:\n") +
            order_as_text(plan.boot_order);
    for (const PropertyCheck& check : plan.checks) {
        text += fmt::format("\nBefore the guest runs: {} of {} must be {}\n", check.property, check.path,
                            check.expected);
    }
    for (const std::string& note : plan.notes) {
        text += fmt::format("\nNote: {}\n", note);
    }
    return text;
}

std::string plan_as_json(const Plan& plan) {
    const ordered_json object{
        {"format", "vm-launch-plan"},
        {"version", 1},
        {"name", plan.name},
        {"program", plan.program.string()},
        {"arguments", arguments_of(plan.args)},
        {"run_as", plan.run_user ? ordered_json(plan.run_user->name) : ordered_json(nullptr)},
        {"secure_boot", plan.secure_boot ? ordered_json(*plan.secure_boot) : ordered_json(nullptr)},
        {"links",
         list_of(plan.links,
                 [](const net::Operation& operation) { return ordered_json(net::describe(operation)); })},
        {"fds", fds_of(plan.fds)},
        {"helpers", helpers_of(plan)},
        {"served", served_of(plan)},
        {"watched", list_of(plan.wire, [](const WirePoint& point) { return ordered_json(point.id); })},
        {"probe", probe_of(plan)},
        {"offer", offer_of(plan)},
        {"segments", list_of(plan.segments, [](const PlannedSegment& segment) { return to_json(segment); })},
        {"shortcuts",
         list_of(plan.shortcuts,
                 [](const Shortcut& shortcut) {
                     return ordered_json{
                         {"kind", to_string(shortcut.kind)},
                         {"nic", shortcut.nic.empty() ? ordered_json(nullptr) : ordered_json(shortcut.nic)},
                         {"reason", shortcut.reason}};
                 })},
        {"first_boot", list_of(plan.first_boot, [](const BootEntry& entry) { return to_json(entry); })},
        {"boot_order", list_of(plan.boot_order, [](const BootEntry& entry) { return to_json(entry); })},
        {"checks", list_of(plan.checks,
                           [](const PropertyCheck& check) {
                               return ordered_json{{"path", check.path},
                                                   {"property", check.property},
                                                   {"expected", check.expected},
                                                   {"meaning", check.meaning}};
                           })},
        {"notes", plan.notes},
    };
    return object.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string plan_as_shell(const Plan& plan) {
    std::string text;
    if (plan.needs_own_server) {
        text = "# by hand nobody serves HTTP, by which this firmware boots: plan it with --pxe v4\n";
    } else if (plan.offer && plan.offer->firmware != FirmwareFetch::none) {
        text = fmt::format(
            "# by hand nobody offers the firmware anything: the network's own servers have to name {} and "
            "serve it\n",
            printable(plan.offer->firmware_file.substr(plan.offer->firmware_file.find_last_of('/') + 1)));
    } else if (plan.offer && plan.offer->in_user_mode) {
        text = offer_by_hand(*plan.offer);
    }
    if (!plan.segments.empty()) {
        text += "# by hand nobody serves the isolated segment: no DHCP, TFTP, HTTP or DNS\n";
    }
    for (const PlannedFd& fd : plan.fds) {
        text += fd.by_hand.empty() ? "" : fd.by_hand + " &&\n";
    }
    text += plan.http_by_hand.empty() ? "" : plan.http_by_hand + " &&\n";
    if (plan.tpm) {
        text += plan.tpm->by_hand + " &&\n";
    }
    text += shell_quoted(plan.program.string());
    for (const PlannedArg& arg : plan.args) {
        if (arg.by_hand && arg.by_hand->empty()) {
            continue;
        }
        const PlannedArg shown = arg.by_hand ? PlannedArg{arg.option, *arg.by_hand, ""} : arg;
        text += " \\\n  " + words_of(shown);
    }
    return text + "\n";
}

}  // namespace vml
