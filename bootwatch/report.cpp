#include "bootwatch/report.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/json.h"
#include "base/logins.h"
#include "bootwatch/ipxe_error.h"
#include "bootwatch/report_page.h"
#include "bootwatch/timeline.h"
#include "bootwatch/weight.h"

namespace vml::boot {

namespace {

using nlohmann::ordered_json;

template <typename Value>
ordered_json or_null(const std::optional<Value>& value) {
    return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json time_or_null(const std::optional<double>& seconds) {
    return seconds ? ordered_json(rounded(*seconds)) : ordered_json(nullptr);
}

ordered_json talk_json(const DhcpTalk& talk) {
    return {{"client", name_of(talk.client)},
            {"nic", talk.nic},
            {"began", rounded(talk.began)},
            {"client_arch", or_null(talk.client_arch)},
            {"discovers", talk.discovers},
            {"requests", talk.requests},
            {"offers", list_of(talk.offers, offer_as_json)},
            {"own_offer", talk.own ? offer_as_json(*talk.own) : ordered_json(nullptr)},
            {"acknowledged", talk.ack ? offer_as_json(*talk.ack) : ordered_json(nullptr)},
            {"refusals", list_of(talk.naks, offer_as_json)}};
}

std::string_view name_of_state(FetchState state) {
    switch (state) {
        case FetchState::asked:
            return "asked";
        case FetchState::receiving:
            return "receiving";
        case FetchState::done:
            return "done";
        case FetchState::failed:
            return "failed";
    }
    return "";
}

ordered_json fetch_in_report(const Fetch& fetch, std::string_view own_url) {
    ordered_json object = fetch_as_json(fetch);
    object["by_vm_launch"] = is_from_vm_launch(fetch, own_url);
    return object;
}

ordered_json lookup_json(const Lookup& lookup) {
    return {{"name", lookup.name},
            {"at", rounded(lookup.at)},
            {"answered", lookup.answered},
            {"found", lookup.found}};
}

ordered_json complaint_json(const IpxeComplaint& complaint) {
    return {{"at", rounded(complaint.at)},
            {"line", complaint.line},
            {"number", fmt::format("{:08x}", complaint.number)},
            {"meaning", explain_ipxe_error(complaint.number)}};
}

ordered_json address_or_null(const Address& address) {
    return address.is_zero() ? ordered_json(nullptr) : ordered_json(to_string(address));
}

ordered_json ipv6_json(const Ipv6Story& story) {
    return {{"solicited", time_or_null(story.solicited_at)},
            {"client", story.client ? ordered_json(name_of(*story.client)) : ordered_json(nullptr)},
            {"answered", time_or_null(story.answered_at)},
            {"server", address_or_null(story.server)},
            {"bootfile", story.bootfile},
            {"router", story.router ? ordered_json(to_string(*story.router)) : ordered_json(nullptr)}};
}

ordered_json left_out_json(const LeftOut& left_out) {
    ordered_json counts;
    for (const LeftOutRow& row : left_out_rows) {
        counts[row.key] = left_out.*row.count;
    }
    return counts;
}

ordered_json boot_json(const Boot& boot, std::string_view own_url) {
    return {{"began", rounded(boot.began)},
            {"ended", time_or_null(boot.ended)},
            {"firmware", or_null(boot.firmware)},
            {"ipxe", or_null(boot.ipxe)},
            {"stages", list_of(boot.marks, mark_as_json)},
            {"probe", boot.probe ? probe_as_json(*boot.probe) : ordered_json(nullptr)},
            {"dhcp", list_of(boot.dhcp, talk_json)},
            {"fetches",
             list_of(boot.fetches, [&](const Fetch& fetch) { return fetch_in_report(fetch, own_url); })},
            {"lookups", list_of(boot.lookups, lookup_json)},
            {"ipxe_errors", list_of(boot.complaints, complaint_json)},
            {"firmware_errors", boot.firmware_errors},
            {"frames", {{"by_guest", boot.guest_frames}, {"by_others", boot.other_frames}}},
            {"router",
             {{"asked_for", time_or_null(boot.solicited_at)}, {"advertised", time_or_null(boot.router_at)}}},
            {"ipv6", ipv6_json(boot.ipv6)},
            {"unanswered_arp",
             list_of(boot.unanswered, [](const Unanswered& asked) { return to_string(asked.address); })},
            {"turn", name_of(boot.outcome)},
            {"turn_words", boot.outcome_text},
            {"console", boot.console.lines()},
            {"left_out", left_out_json(boot.left_out)}};
}

ordered_json nic_json(const ReportHead::Nic& nic) {
    return {{"id", nic.id},           {"mac", nic.mac}, {"model", nic.model},
            {"network", nic.network}, {"rom", nic.rom}, {"watched", nic.watched}};
}

ordered_json versions_json(const ReportHead::Versions& versions) {
    return {{"vm_launch", versions.vm_launch},
            {"qemu", versions.qemu},
            {"kernel", versions.kernel},
            {"firmware_file", versions.firmware_file}};
}

void hide_logins(ordered_json& value) {
    if (value.is_structured()) {
        for (ordered_json& part : value) {
            hide_logins(part);
        }
    } else if (value.is_string()) {
        auto& text = value.get_ref<std::string&>();
        text = without_logins(text);
    }
}

}  // namespace

double rounded(double seconds) {
    constexpr double per_second = 1000;
    return std::round(seconds * per_second) / per_second;
}

ordered_json mark_as_json(const Mark& mark) {
    return {{"stage", name_of(mark.stage)},
            {"at", rounded(mark.at)},
            {"proof", name_of(mark.proof)},
            {"detail", mark.detail},
            {"reached", mark.proves}};
}

ordered_json offer_as_json(const Offer& offer) {
    const DhcpMessage& message = offer.message;
    return {
        {"at", rounded(offer.at)},
        {"server", to_string(offer.sender)},
        {"proxy", offer.proxy()},
        {"address", message.yours.is_zero() ? ordered_json(nullptr) : ordered_json(to_string(message.yours))},
        {"next_server", message.next_server.is_zero() ? ordered_json(nullptr)
                                                      : ordered_json(to_string(message.next_server))},
        {"server_name", message.server_name},
        {"file", message.bootfile},
        {"root_path", message.root_path},
        {"no_proxy_wait", message.no_proxy_wait},
        {"options", message.options}};
}

ordered_json fetch_as_json(const Fetch& fetch) {
    return {{"url", fetch.url},
            {"protocol", fetch.protocol},
            {"server", to_string(fetch.server.address)},
            {"began", rounded(fetch.began)},
            {"answered", time_or_null(fetch.answered)},
            {"ended", time_or_null(fetch.ended)},
            {"state", name_of_state(fetch.state)},
            {"fault",
             fetch.fault == FetchFault::none ? ordered_json(nullptr) : ordered_json(name_of(fetch.fault))},
            {"words", fetch.words},
            {"http_status", or_null(fetch.status)},
            {"location", fetch.location},
            {"bytes", fetch.received},
            {"expected_bytes", or_null(fetch.expected)},
            {"bytes_per_second", std::round(speed_of(fetch))},
            {"asked_again", fetch.repeats},
            {"ranges", fetch.ranges},
            {"content", name_of(fetch.content)},
            {"proof", name_of(fetch.by_console ? Proof::console : Proof::wire)}};
}

ordered_json fault_as_json(const std::optional<Fault>& fault) {
    return !fault ? ordered_json(nullptr)
                  : ordered_json{{"what", fault->what},
                                 {"why", fault->why},
                                 {"hint", fault->hint},
                                 {"code", static_cast<int>(fault->code)}};
}

bool is_from_vm_launch(const Fetch& fetch, std::string_view own_url) {
    return !own_url.empty() && fetch.url.starts_with(own_url);
}

ordered_json probe_as_json(const Probe& probe) {
    return {{"nic", probe.nic},
            {"began", rounded(probe.began)},
            {"discovers", probe.sent},
            {"client_arch", or_null(probe.question.client_arch)},
            {"vendor_class", probe.question.vendor_class},
            {"user_class", probe.question.user_class},
            {"offers", list_of(probe.offers, offer_as_json)}};
}

ordered_json report_as_json(const ReportHead& head, std::vector<Boot> boots) {
    lighten(boots, most_reported);
    ordered_json report = {
        {"format", "vm-launch-boot-report"},
        {"version", 1},
        {"name", head.name},
        {"started", head.started},
        {"lasted", rounded(head.lasted)},
        {"machine", head.machine},
        {"firmware", head.firmware},
        {"accelerator", head.accelerator},
        {"boot_order", head.boot_order},
        {"versions", versions_json(head.versions)},
        {"command", head.command},
        {"nics", list_of(head.nics, nic_json)},
        {"helped", head.helped},
        {"hints", head.hints},
        {"lost_frames", head.lost_frames},
        {"boots", list_of(boots, [&](const Boot& boot) { return boot_json(boot, head.own_url); })},
        {"exit_code", head.exit_code},
        {"summary", head.summary},
        {"verdict", fault_as_json(head.fault)}};
    hide_logins(report);
    return report;
}

}  // namespace vml::boot
