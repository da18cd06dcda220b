#include "capture/explanation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/json.h"
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

}  // namespace

int exit_code_of(const Explanation& explanation) {
    if (explanation.machines.empty()) {
        return static_cast<int>(ExitCode::no_machine);
    }
    for (const FoundMachine& machine : explanation.machines) {
        const ExitCode code = machine.boots.back().verdict.code;
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
              {"own_help", counts.own_help}}},
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
