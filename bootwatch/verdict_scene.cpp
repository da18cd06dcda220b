#include "bootwatch/verdict_scene.h"

#include <algorithm>

#include <fmt/format.h>

#include "bootwatch/ipxe_error.h"
#include "bootwatch/own_offer.h"
#include "bootwatch/timeline.h"

namespace vml::boot {

Fault told(VerdictName name, std::string_view subject, std::string why, std::string hint) {
    const VerdictRow& row = verdict_rows.at(name.index);
    std::string what{row.sentence};
    if (const std::size_t at = what.find("{}"); at != std::string::npos) {
        what.replace(at, 2, subject);
    }
    return {std::move(what), std::move(why), std::move(hint), row.code};
}

namespace {

// What matters is what came of the fetch that follows; of one that failed, or is not answered, nothing does.
bool is_answered_probe(const Fetch& fetch) {
    return is_probe(fetch) && fetch.state == FetchState::done;
}

}  // namespace

bool Scene::is_recent(double at) const {
    constexpr double a_pause = 10;  // TCP's and TFTP's retransmissions come sooner
    return about.now && *about.now - at < a_pause;
}

const DhcpTalk* Scene::talk() const {
    const DhcpTalk* best = nullptr;
    const auto came = [](const DhcpTalk& t) { return t.ack ? 2 : t.offers.empty() ? 0 : 1; };
    for (const DhcpTalk& t : boot.dhcp) {
        if (t.client == Client::other || is_late(t.began)) {
            continue;
        }
        if (best == nullptr || best->client != t.client || came(t) >= came(*best)) {
            best = &t;
        }
    }
    return best;
}

bool Scene::is_past(const DhcpTalk& talk) const {
    return last_fetch() != nullptr && last_fetch()->began > talk.began;
}

std::string Scene::named_file() const {
    const DhcpTalk* dhcp = talk();
    if (dhcp == nullptr) {
        return {};
    }
    if (is_own_offer_taken(*dhcp)) {
        return dhcp->own->message.bootfile;
    }
    std::string file = dhcp->ack ? dhcp->ack->message.bootfile + dhcp->ack->message.root_path : "";
    for (const Offer& offer : dhcp->offers) {
        file = file.empty() ? offer.message.bootfile + offer.message.root_path : file;
    }
    return file;
}

const Fetch* Scene::last_fetch() const {
    const auto latest = std::find_if(boot.fetches.rbegin(), boot.fetches.rend(), [&](const Fetch& fetch) {
        return !is_answered_probe(fetch) && !is_late(fetch.began);
    });
    return latest == boot.fetches.rend() ? nullptr : &*latest;
}

const Fetch* Scene::kernel() const {
    const auto latest = std::find_if(boot.fetches.rbegin(), boot.fetches.rend(), [](const Fetch& fetch) {
        return fetch.state == FetchState::done &&
               (fetch.content == Content::x86_kernel || fetch.content == Content::aarch64_kernel);
    });
    if (latest == boot.fetches.rend() || ipxe_gave_up() || has_complaint(is_exec_format)) {
        return nullptr;
    }
    return &*latest;
}

bool Scene::asked_by_a_program(const Fetch& fetch) const {
    const std::optional<double> by_ipxe = took_over_at(boot);
    return is_asked_by_a_program(boot.fetches, fetch, by_ipxe && fetch.began >= *by_ipxe ? *by_ipxe : 0);
}

std::string Scene::complaint() const {
    if (boot.complaints.empty()) {
        return {};
    }
    const IpxeComplaint& last = boot.complaints.back();
    return fmt::format("iPXE's error {:08x}: {}", last.number, explain_ipxe_error(last.number));
}

std::string Scene::with_complaint(const std::string& why) const {
    const std::string words = complaint();
    return words.empty() ? why : why + "; " + words;
}

bool Scene::ipxe_gave_up() const {
    // iPXE src/usr/autoboot.c, uriboot; src/usr/imgmgmt.c
    return !boot.complaints.empty() && boot.complaints.back().line.starts_with("Could not boot");
}

bool Scene::has_complaint(bool (*is)(std::uint32_t)) const {
    return std::any_of(boot.complaints.begin(), boot.complaints.end(),
                       [&](const IpxeComplaint& complaint) { return is(complaint.number); });
}

// iPXE src/core/monojob.c: "http://10.0.0.1/k... Connection refused (http://ipxe.org/…)".
std::string Scene::refused_url() const {
    const auto line = std::find_if(
        boot.complaints.rbegin(), boot.complaints.rend(),
        [](const IpxeComplaint& complaint) { return complaint.line.find("...") != std::string::npos; });
    return line == boot.complaints.rend() ? "" : line->line.substr(0, line->line.find("..."));
}

std::string Scene::notes() const {
    const auto failed = std::find_if(boot.fetches.rbegin(), boot.fetches.rend(), [&](const Fetch& fetch) {
        return fetch.state == FetchState::failed && !is_probe(fetch) && !is_late(fetch.began);
    });
    return failed == boot.fetches.rend() ? "" : fmt::format("; before that {}", describe(*failed));
}

bool ended_by_script(const Scene& scene) {
    return scene.ipxe_gave_up() && script_failure(scene.boot.complaints.back().number);
}

}  // namespace vml::boot
