// The explanation as people read it.
#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "bootwatch/timeline.h"
#include "capture/explanation.h"
#include "capture/wording.h"

namespace vml::capture {

namespace {

std::string hosts_text(const Explanation& explanation) {
    return (explanation.counts.more_hosts ? "at least " : "") +
           boot::counted(explanation.other_hosts, "host");
}

// What vm-launch itself sent or asked, and which is no evidence.
std::string own_text(const Counts& counts) {
    std::string text;
    if (counts.probe > 0) {
        text = fmt::format("; {} of vm-launch's own probe of the network, which {} no boot",
                           boot::counted(counts.probe, "DHCP frame"), counts.probe == 1 ? "is" : "are");
    }
    if (counts.own_help > 0) {
        text += fmt::format("; {} of vm-launch's own, to spare the machine a wait",
                            boot::counted(counts.own_help, "frame"));
    }
    return text;
}

std::string first_line(const Explanation& explanation) {
    const Counts& counts = explanation.counts;
    std::string text = fmt::format("{}: {} ({}) in {:.1f} s from {}", explanation.file,
                                   boot::counted(counts.frames, "frame"), explanation.kind,
                                   counts.ended - counts.began, utc_text(counts.began));
    if (counts.repeated > 0) {
        text += fmt::format("; {} there twice", counts.repeated);
    }
    if (counts.cut_dhcp > 0) {
        text += fmt::format("; {} cut before their options", boot::counted(counts.cut_dhcp, "DHCP frame"));
    }
    text += own_text(counts);
    if (counts.clock_back > 0) {
        text +=
            fmt::format("; the clock went back by {:.1f} s, which later times have added", counts.clock_back);
    }
    if (explanation.other_hosts > 0) {
        text += fmt::format("; {} that {} not boot from the network", hosts_text(explanation),
                            explanation.other_hosts == 1 ? "does" : "do");
    }
    if (counts.left_out > 0) {
        text += fmt::format("; {} of machines beyond the first {} left out",
                            boot::counted(counts.left_out, "packet"), Machines::most_machines);
    }
    return text + "\n" +
           (explanation.damage.empty() ? "" : "The file ends early: " + explanation.damage + "\n");
}

std::string machine_line(const FoundMachine& machine) {
    std::string text = "\nmachine " + mac_text(machine.mac);
    for (const std::string& part : {arch_text(machine), where_text(machine)}) {
        text += part.empty() ? "" : ", " + part;
    }
    return text + "\n";
}

// Who named which file.
std::string names_text(const boot::Boot& boot) {
    std::string text;
    const auto add = [&](const boot::Offer& offer, std::string_view role) {
        const boot::DhcpMessage& message = offer.message;
        const std::string& file = message.bootfile.empty() ? message.root_path : message.bootfile;
        if (file.empty()) {
            return;
        }
        const std::string line =
            fmt::format("  named by   {} ({}): {}{}\n", to_string(offer.sender), role, file,
                        message.next_server.is_zero() ? "" : " on " + to_string(message.next_server));
        text += text.find(line) == std::string::npos ? line : "";
    };
    for (const boot::DhcpTalk& talk : boot.dhcp) {
        for (const boot::Offer& offer : talk.offers) {
            add(offer, offer.proxy() ? "ProxyDHCP" : "DHCP");
        }
        if (talk.ack) {
            add(*talk.ack, "DHCP");
        }
    }
    return text;
}

std::string open_fetches(const boot::Boot& boot) {
    std::string text;
    for (const boot::Fetch& fetch : boot.fetches) {
        if (!fetch.ended && !fetch.bare) {
            text += fmt::format("  {:>8.2f} s  {:<16}  {}: {}{}, not whole\n", fetch.latest, "fetch",
                                fetch.url, boot::size_text(fetch.received),
                                fetch.expected ? " of " + boot::size_text(*fetch.expected) : "");
        }
    }
    return text;
}

std::string stages_text(const CapturedBoot& boot) {
    std::string text;
    for (const boot::Mark& mark : boot.record.marks) {
        text += fmt::format("  {:>8.2f} s  {:<16}  {}{}\n", mark.at, title_of(mark.stage), mark.detail,
                            mark.proves || mark.stage == boot::Stage::fetch ? "" : " (told, not reached)");
    }
    for (const boot::Offer& offer : boot.view.unasked) {
        text += fmt::format("  {:>8.2f} s  {:<16}  {} answers{}{}; the question is not in the capture\n",
                            offer.at, "DHCP", to_string(offer.sender),
                            offer.message.yours.is_zero() ? "" : " with " + to_string(offer.message.yours),
                            offer.message.bootfile.empty() ? "" : ", file " + offer.message.bootfile);
    }
    return text + open_fetches(boot.record);
}

bool starts_in_the_middle(const boot::Boot& boot) {
    return boot.dhcp.empty() && !boot.ipv6.solicited_at;
}

std::string verdict_text(const Fault& verdict) {
    std::string text =
        fmt::format("  verdict    {} (exit code {})\n", verdict.what, static_cast<int>(verdict.code));
    if (!verdict.why.empty()) {
        text += fmt::format("  why        {}\n", verdict.why);
    }
    if (!verdict.hint.empty()) {
        text += fmt::format("  hint       {}\n", verdict.hint);
    }
    return text;
}

std::string boot_text(const CapturedBoot& boot, std::size_t number, std::size_t of) {
    std::string text = of == 1 ? "boot" : fmt::format("boot {} of {}", number, of);
    text += fmt::format(" at {}, {:.1f} s\n", utc_text(boot.began), boot.latest - boot.began);
    if (starts_in_the_middle(boot.record) && boot.view.unasked.empty()) {
        text += "  unknown    what came before: the capture has no DHCP of this boot\n";
    }
    text += stages_text(boot);
    text += names_text(boot.record);
    return text + verdict_text(boot.verdict);
}

std::string hint_without_machine(const Explanation& explanation) {
    if (explanation.counts.cut_dhcp > 0) {
        return "capture whole frames: tcpdump -s 0";
    }
    return explanation.run_end.empty()
               ? "capture from before the machine is switched on, where its broadcasts pass: tcpdump -i IF "
                 "-w FILE.pcap"
               : "";  // a record of vm-launch's: it had the machine's link
}

}  // namespace

std::optional<Fault> no_machine_in(const Explanation& explanation) {
    if (!explanation.machines.empty()) {
        return std::nullopt;
    }
    const Counts& counts = explanation.counts;
    std::string why = fmt::format(
        "it has {} of {}; {} of DHCP, none of a client that boots (class PXEClient, "
        "HTTPClient or U-Boot, user class iPXE), and no request of TFTP",
        boot::counted(counts.frames, "frame"), hosts_text(explanation),
        boot::counted(counts.dhcp, counts.probe == 0 ? "message" : "other message"));
    if (counts.cut_dhcp > 0) {
        why += fmt::format("; {} cut before what tells that", boot::counted(counts.cut_dhcp, "DHCP frame"));
    }
    why += own_text(counts);
    if (!explanation.damage.empty()) {
        why += "; " + explanation.damage;
    }
    if (!explanation.run_end.empty()) {
        why += "; the recorded run ended: " + explanation.run_end;
    }
    return Fault{fmt::format("no machine in {} boots from the network", explanation.file), why,
                 hint_without_machine(explanation), ExitCode::no_machine};
}

std::string as_text(const Explanation& explanation) {
    std::string text = first_line(explanation);
    for (const FoundMachine& machine : explanation.machines) {
        text += machine_line(machine);
        if (machine.boots_left_out > 0) {
            text += fmt::format("{} left out\n", boot::counted(machine.boots_left_out, "boot"));
        }
        for (std::size_t i = 0; i < machine.boots.size(); ++i) {
            text += boot_text(machine.boots[i], i + 1, machine.boots.size());
        }
    }
    if (!explanation.run_end.empty()) {
        text += fmt::format("\nThe recorded run ended: {}\n", explanation.run_end);
    }
    text = visible(text, "\n");  // whatever the file's name and its frames have
    return explanation.machines.empty()
               ? text
               : text +
                     "\nNot in a capture: firmware, screen, and what a machine does without the network.\n";
}

}  // namespace vml::capture
