#include "launcher/events/event.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace vml::events {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::array table{
    Row{Kind::begin, "begin", "QEMU was started; the first event of a run",
        "`name`, `machine`, `firmware`, `accelerator`, `boot_order` (device IDs): as in the boot report"},
    Row{Kind::boot, "boot",
        "a boot begins: the guest runs for the first time, or was reset. What was told of the boot before is "
        "over",
        "`boot` (1 for the first), `at`"},
    Row{Kind::stage, "stage", "a stage was recognised, or something is told in its context",
        "`boot`; `stage`, `at`, `proof`, `detail`, `reached`: as in `boots[].stages`"},
    Row{Kind::dhcp, "dhcp",
        "a DHCP message of a boot program's or system's talk with servers, over a NIC that is watched",
        "`boot`, `nic`, `client`, `type` (discover, request, decline, offer, own-offer, ack, nak, "
        "boot-server-request, boot-server-answer), `at`; of an offer, own-offer, ack and nak also what "
        "`boots[].dhcp[].offers` has"},
    Row{Kind::fetch, "fetch",
        "something was asked for, is coming (twice a second at most for each), came or failed",
        "`boot`; `url`, `protocol`, `server`, `began`, `answered`, `ended`, `state`, `fault`, `words`, "
        "`http_status`, "
        "`location`, `bytes`, `expected_bytes`, `bytes_per_second`, `asked_again`, `ranges`, `content`, "
        "`proof`: as in `boots[].fetches`; the same `url` and `began` are the same fetch"},
    Row{Kind::console, "console", "the serial console shows something of the boot that is no stage",
        "`boot`, `sign` (ipxe: its version; ipxe-error, with `number` and `meaning`; firmware-error; "
        "loader-error; stub-error; outcome, with `turn` as in the report), `at`, `text`"},
    Row{Kind::hint, "hint", "what the network makes every iPXE wait for, or what does not belong in it",
        "`text`"},
    Row{Kind::qemu, "qemu", "an event of QEMU's (QMP)", "`name`, `data` (null where it is too large)"},
    Row{Kind::verdict, "verdict",
        "the boot failed, or its time is over. The run need not end: somebody may sit at the console",
        "`what`, `why`, `hint`, `code` (the exit code that stands for it)"},
    Row{Kind::limit, "limit", "so many events of one kind came in one boot that no more of them are told",
        "`of` (the kind), `most`"},
    Row{Kind::end, "end", "the run is over; the last event",
        "`exit_code`, `summary`, `verdict` (null, or `what`, `why`, `hint`, `code`): as in the report"},
    Row{Kind::following, "following",
        "over the control socket: what came before had happened already, what comes is new; to this reader "
        "alone",
        "`phase` (starting, running, stopping)"},
    Row{Kind::lost, "lost",
        "the reader did not keep up: so many events are missing here; to this reader alone", "`count`"},
};

// "boot" comes first.
Event of_boot(Kind kind, unsigned boot, const ordered_json& fields) {
    Event event{kind, {{"boot", boot}}};
    event.fields.update(fields);
    return event;
}

}  // namespace

std::span<const Row> rows() {
    return table;
}

std::string_view name_of(Kind kind) {
    return table.at(static_cast<std::size_t>(kind)).name;
}

std::string page() {
    std::string text = "| event | when | fields |\n|---|---|---|\n";
    for (const Row& row : table) {
        text += fmt::format("| `{}` | {} | {} |\n", row.name, row.when, row.fields);
    }
    return text;
}

Event begins(const boot::ReportHead& head) {
    return {Kind::begin,
            {{"name", head.name},
             {"machine", head.machine},
             {"firmware", head.firmware},
             {"accelerator", head.accelerator},
             {"boot_order", head.boot_order}}};
}

Event boot_begins(unsigned boot, double at) {
    return {Kind::boot, {{"boot", boot}, {"at", boot::rounded(at)}}};
}

Event stage(unsigned boot, const boot::Mark& mark) {
    return of_boot(Kind::stage, boot, boot::mark_as_json(mark));
}

Event fetch(unsigned boot, const boot::Fetch& fetch) {
    return of_boot(Kind::fetch, boot, boot::fetch_as_json(fetch));
}

Event hint(const std::string& text) {
    return {Kind::hint, {{"text", text}}};
}

Event qemu(const std::string& name, const json& data) {
    constexpr std::size_t most = 4096;  // bytes; QEMU's own are a few hundred
    const std::string text = data.dump(-1, ' ', true, json::error_handler_t::replace);
    return {Kind::qemu,
            {{"name", name}, {"data", text.size() > most ? ordered_json(nullptr) : ordered_json(data)}}};
}

Event verdict(const Fault& fault) {
    return {Kind::verdict, boot::fault_as_json(fault)};
}

Event ends(int exit_code, const std::string& summary, const std::optional<Fault>& fault) {
    return {Kind::end,
            {{"exit_code", exit_code}, {"summary", summary}, {"verdict", boot::fault_as_json(fault)}}};
}

Event limit(Kind of, std::uint64_t most) {
    return {Kind::limit, {{"of", name_of(of)}, {"most", most}}};
}

Event lost(std::uint64_t count) {
    return {Kind::lost, {{"count", count}}};
}

Event following(const std::string& phase) {
    return {Kind::following, {{"phase", phase}}};
}

}  // namespace vml::events
