#include "capture/explanation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/json.h"
#include "bootwatch/report.h"
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

ordered_json machine_json(const FoundMachine& machine) {
    ordered_json boots = ordered_json::array();
    for (const CapturedBoot& boot : machine.boots) {
        ordered_json report = boot::report_as_json(head_of(machine, boot), {boot.record});
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
    for (const FoundMachine& machine : explanation.machines) {
        const ExitCode code = machine.boots.back().verdict.code;
        if (code != ExitCode::ok) {
            return static_cast<int>(code);
        }
    }
    return 0;
}

ordered_json as_json(const Explanation& explanation) {
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
              {"other_dhcp", counts.dhcp}}},
            {"damage", explanation.damage},
            {"other_hosts", explanation.other_hosts},
            {"machines_left_out", explanation.machines_left_out},
            {"machines", list_of(explanation.machines, machine_json)},
            {"exit_code", exit_code_of(explanation)}};
}

std::string as_html(const Explanation& explanation) {
    std::vector<boot::ReportedBoots> reports;
    for (const FoundMachine& machine : explanation.machines) {
        for (const CapturedBoot& boot : machine.boots) {
            reports.push_back({head_of(machine, boot), {boot.record}});
        }
    }
    return reports_as_html("Boots in " + explanation.file, std::move(reports));
}

}  // namespace vml::capture
