#include "launcher/plan/plan_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/shell.h"
#include "launcher/plan/network_text.h"
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
        {"segments",
         list_of(plan.segments, [](const PlannedSegment& segment) { return segment_of(segment); })},
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
    std::string text = missing_by_hand(plan);
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
