#include "capture/explanation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/json.h"
#include "bootwatch/progress.h"
#include "bootwatch/report.h"
#include "bootwatch/weight.h"
#include "capture/wording.h"

namespace vml::capture {

namespace {

using nlohmann::ordered_json;

boot::ReportHead head_of(const FoundMachine& machine, const CapturedBoot& boot) {
    boot::ReportHead head;
    head.name = mac_text(machine.mac);
    head.started = utc_text(boot.began);
    head.nics = {{.id = mac_text(machine.mac),
                  .mac = mac_text(machine.mac),
                  .model = {},
                  .network = where_text(machine),
                  .rom = {},
                  .watched = true}};
    head.lasted = boot.latest - boot.began;
    head.exit_code = static_cast<int>(boot.verdict.code);
    head.summary = boot.verdict.what;
    if (boot.verdict.code != ExitCode::ok) {
        head.fault = boot.verdict;
    }
    return head;
}

// All boots of the file together weigh no more than one report does.
std::size_t share_of_each(const Explanation& explanation) {
    std::size_t boots = 0;
    for (const FoundMachine& machine : explanation.machines) {
        boots += machine.boots.size();
    }
    return boot::most_reported / std::max(boots, std::size_t{1});
}

ordered_json machine_json(const FoundMachine& machine, std::size_t most) {
    ordered_json boots = ordered_json::array();
    for (const CapturedBoot& boot : machine.boots) {
        std::vector<boot::Boot> records{boot.record};
        lighten(records, most);
        ordered_json report = boot::report_as_json(head_of(machine, boot), std::move(records));
        report["why"] = boot.verdict.why;
        report["hint"] = boot.verdict.hint;
        boots.push_back(std::move(report));
    }
    return {{"mac", mac_text(machine.mac)},
            {"client_arch", machine.arch ? ordered_json(*machine.arch) : ordered_json(nullptr)},
            {"vlans", machine.vlans},
            {"relays", list_of(machine.relays, [](const boot::Address& relay) { return to_string(relay); })},
            {"boots_left_out", machine.boots_left_out},
            {"boots", std::move(boots)}};
}

// The firmware's own, which looked by DHCPv6 first.
bool begins_by_ipv6(const boot::Boot& boot) {
    const auto& asked = boot.ipv6.solicited_at;
    return asked && (boot.dhcp.empty() || *asked < boot.dhcp.front().began);
}

// A firmware's HTTP client takes no offer that is made to PXE, and the other way round: an offer, or an
// address by DHCPv6, is no answer to a boot.
bool was_answered(const boot::Boot& boot) {
    return !boot.ipv6.bootfile.empty() || !boot.fetches.empty() ||
           std::any_of(boot.dhcp.begin(), boot.dhcp.end(),
                       [](const boot::DhcpTalk& talk) { return talk.ack.has_value(); });
}

// How long a firmware waits for an answer to its last question before it gives the boot up; edk2 waits 4 s
// for one by TFTP (PXEBC_MTFTP_TIMEOUT), and longer for a server that took a request by HTTP.
double wait_of(const boot::Boot& boot) {
    constexpr double datagram_s = 5;
    const boot::Fetch* latest = boot.fetches.empty() ? nullptr : &boot.fetches.back();
    if (latest != nullptr) {
        return awaits_answer(*latest) || is_given_up_unanswered(*latest) ? boot::answer_due_s
               : latest->ended                                           ? 0
                                                                         : datagram_s;
    }
    const bool was_told =
        !boot.dhcp.empty() && boot.dhcp.back().ack && boot.unanswered.empty() &&
        (boot.lookups.empty() || boot.lookups.back().answered) &&
        (boot.dhcp.back().boot_server_requests == 0 || boot.dhcp.back().boot_server_answered);
    return was_told ? 0 : datagram_s;
}

// A firmware whose boot over one version of IP failed tries the other one at once (edk2: PXE and HTTP boot,
// each over IPv4 and IPv6). One that was reset takes longer.
bool is_next_way(const CapturedBoot& failed, const CapturedBoot& next) {
    constexpr double at_once_s = 1;
    return failed.verdict.code != ExitCode::ok && !failed.record.ipxe && !next.record.ipxe &&
           !was_answered(next.record) && next.began - failed.latest <= at_once_s + wait_of(failed.record) &&
           begins_by_ipv6(failed.record) != begins_by_ipv6(next.record);
}

// What came of the last boot that somebody answered, where the firmware only went on to its next way after
// it.
ExitCode code_of(const FoundMachine& machine) {
    const auto& boots = machine.boots;
    const bool went_on = boots.size() > 1 && is_next_way(boots[boots.size() - 2], boots.back());
    return (went_on ? boots[boots.size() - 2] : boots.back()).verdict.code;
}

}  // namespace

int exit_code_of(const Explanation& explanation) {
    if (explanation.machines.empty()) {
        return static_cast<int>(ExitCode::no_machine);
    }
    for (const FoundMachine& machine : explanation.machines) {
        const ExitCode code = code_of(machine);
        if (code != ExitCode::ok) {
            return static_cast<int>(code);
        }
    }
    return 0;
}

namespace {

// `most`: what each boot may weigh.
ordered_json document(const Explanation& explanation, std::size_t most) {
    const Counts& counts = explanation.counts;
    return {{"format", "vm-launch-explanation"},
            {"version", 1},
            {"file", explanation.file},
            {"frames",
             {{"kind", explanation.kind},
              {"count", counts.frames},
              {"unread", counts.unread},
              {"repeated", counts.repeated},
              {"cut_dhcp", counts.cut_dhcp},
              {"clock_back", counts.clock_back},
              {"other_dhcp", counts.dhcp},
              {"probe", counts.probe},
              {"own_help", counts.own_help},
              {"lost", counts.lost}}},
            {"damage", explanation.damage},
            {"run_end", explanation.run_end},
            {"other_hosts", explanation.other_hosts},
            {"machines_left_out", counts.left_out},
            {"machines", list_of(explanation.machines,
                                 [&](const FoundMachine& machine) { return machine_json(machine, most); })},
            {"exit_code", exit_code_of(explanation)}};
}

}  // namespace

ordered_json as_json(const Explanation& explanation) {
    return document(explanation, share_of_each(explanation));
}

std::string as_html(const Explanation& explanation) {
    std::vector<boot::ReportedBoots> reports;
    for (const FoundMachine& machine : explanation.machines) {
        for (const CapturedBoot& boot : machine.boots) {
            reports.push_back({head_of(machine, boot), {boot.record}});
        }
    }
    return reports_as_html("Boots in " + explanation.file, std::move(reports),
                           [&](std::size_t share) { return document(explanation, share); });
}

}  // namespace vml::capture
