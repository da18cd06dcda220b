// Verdicts on names, servers and what was to be fetched from them.
#include <algorithm>

#include <fmt/format.h>

#include "bootwatch/ipxe_error.h"
#include "bootwatch/own_offer.h"
#include "bootwatch/own_server.h"
#include "bootwatch/progress.h"
#include "bootwatch/timeline.h"
#include "bootwatch/verdict_scene.h"

namespace vml::boot {

namespace {

std::string describe_failure(const Fetch& fetch) {
    const std::string text = describe(fetch);
    return text.substr(std::min(text.size(), fetch.url.size() + 2));
}

std::string server_of(const Fetch& fetch) {
    return to_string(fetch.server.address);
}

std::string denied_hint(const Fetch& fetch) {
    // tftpd-hpa without --secure (tftpd/tftpd.c, validate_access)
    return fetch.words.find("absolute filenames") != std::string::npos
               ? "name the file with its whole path (/srv/tftp/FILE), or start tftpd-hpa with --secure and "
                 "its "
                 "folder"
               : fmt::format("may {}'s server read the file and its folders?", server_of(fetch));
}

std::string fetch_hint(const Scene& scene, const Fetch& fetch) {
    switch (fetch.fault) {
        case FetchFault::not_found:
            return fmt::format("is the name right, upper and lower case too, and is the file in {}'s folder?",
                               server_of(fetch));
        case FetchFault::access_denied:
            return denied_hint(fetch);
        case FetchFault::refused:
            return fetch.protocol == "tcp"
                       ? fmt::format("is a server running at port {} of {}, and is the port right?",
                                     fetch.server.port, server_of(fetch))
                       : fmt::format("start the {} server on {}, or name the right one", fetch.protocol,
                                     server_of(fetch));
        case FetchFault::client_error:
            return "the server refuses this request: is the URL right, with its query and its user?";
        case FetchFault::truncated:
            return "the server, or a proxy on the way, ended the connection early: look at its log and its "
                   "limits";
        case FetchFault::tls_alert:
            return "does this iPXE trust the server's certificate, and share a TLS version and cipher with "
                   "it? http:// works without";
        case FetchFault::given_up:
            return scene.about.network == Network::elsewhere
                       ? "the machine broke it off: its screen may say why"
                       : "the guest broke it off: its own words are on the console";
        default:
            return fmt::format("look at the log of the server on {}", server_of(fetch));
    }
}

// "http://10.77.0.1:8080/k... Connection refused (…)": what iPXE wanted where the wire shows a port alone.
std::string subject_of(const Scene& scene, const Fetch& fetch) {
    if (fetch.protocol != "tcp" && !fetch.url.ends_with('/')) {
        return fetch.url;
    }
    const std::string place = host_text(fetch.server, fetch.protocol == "http" ? 80 : 0);
    const auto& all = scene.boot.complaints;
    const auto line = std::find_if(all.rbegin(), all.rend(), [&](const IpxeComplaint& complaint) {
        return complaint.line.find("://" + place) != std::string::npos &&
               complaint.line.find("...") != std::string::npos;
    });
    return line == all.rend() ? fetch.url : line->line.substr(0, line->line.find("..."));
}

// What an address is for, as DHCP tells it.
std::string role_of(const Scene& scene, const Address& address) {
    const DhcpTalk* dhcp = scene.talk();
    if (dhcp == nullptr || !dhcp->ack) {
        return to_string(address);
    }
    const DhcpMessage& ack = dhcp->ack->message;
    const auto among = [&](const std::vector<Address>& all) {
        return std::find(all.begin(), all.end(), address) != all.end();
    };
    const std::string text = to_string(address);
    if (among(ack.routers)) {
        return fmt::format("the gateway {} (DHCP option 3)", text);
    }
    if (among(ack.dns_servers)) {
        return fmt::format("the DNS server {} (DHCP option 6)", text);
    }
    return ack.next_server == address ? fmt::format("the boot server {} (next-server)", text)
                                      : fmt::format("the server {}", text);
}

bool is_san(const Scene& scene) {
    const auto& all = scene.boot.complaints;
    return std::any_of(all.begin(), all.end(), [](const IpxeComplaint& complaint) {
        return complaint.line.find("SAN device") != std::string::npos || is_of_iscsi(complaint.number);
    });
}

std::string loader_words(const Scene& scene) {
    return scene.boot.loader_error.empty()
               ? ""
               : fmt::format("; the boot loader says \"{}\"", scene.boot.loader_error);
}

// A redirection that nothing came after.
Verdict redirected(const Scene& scene, const Fetch& fetch) {
    if (fetch.location.empty() || !scene.stopped()) {
        return std::nullopt;
    }
    return told("redirected", fmt::format("{} was redirected to {}", fetch.url, fetch.location),
                scene.with_complaint(fetch.words),
                "name that URL in the script; https:// needs an iPXE that has TLS and trusts the server");
}

// "iscsi:SERVER:PROTOCOL:PORT:LUN:TARGET" (RFC 4173, 5), where an IPv6 address stands in brackets.
std::string target_in(std::string_view root_path) {
    constexpr int fields_before = 5;
    const std::size_t address = root_path.find('[');
    std::size_t at = address == std::string_view::npos ? 0 : root_path.find(']', address);
    int fields = address == std::string_view::npos ? 0 : 1;
    for (; fields < fields_before && at < root_path.size(); ++fields) {
        at = root_path.find(':', at);
        at += at == std::string_view::npos ? 0 : 1;
    }
    return root_path.starts_with("iscsi:") && at < root_path.size() ? std::string{root_path.substr(at)} : "";
}

std::string target_of(const Scene& scene, const Fetch& fetch) {
    const std::size_t path = fetch.url.find('/', std::string_view{"iscsi://"}.size());
    if (path != std::string::npos && path + 1 < fetch.url.size()) {
        return fetch.url.substr(path + 1);
    }
    const DhcpTalk* dhcp = scene.talk();
    return dhcp != nullptr && dhcp->ack ? target_in(dhcp->ack->message.root_path) : "";
}

Verdict iscsi(const Scene& scene, const Fetch& fetch) {
    if (fetch.protocol != "iscsi" || fetch.fault == FetchFault::refused ||
        (fetch.state == FetchState::done && !(scene.stopped() && is_san(scene)))) {
        return std::nullopt;
    }
    const std::string target = target_of(scene, fetch);
    return told(
        "iscsi", fmt::format("{}{}on {}", target, target.empty() ? "" : " ", server_of(fetch)),
        scene.with_complaint(fetch.received == 0 ? "the target sent nothing"
                                                 : "the target answered, and iPXE gave up"),
        "are the target's name and LUN in the root path right (iscsi:SERVER:PROTOCOL:PORT:LUN:TARGET), "
        "and does the target let this initiator in?");
}

// Another request for it was not answered either: iPXE asks for a SAN device's size again and again.
bool was_asked_in_vain(const Scene& scene, const Fetch& fetch) {
    const auto& all = scene.boot.fetches;
    return std::any_of(all.begin(), all.end(), [&](const Fetch& earlier) {
        return earlier.url == fetch.url && is_given_up_unanswered(earlier);
    });
}

// The server took the request. It may be slow: then the time was up, and nothing was wrong.
Verdict never_answered(const Scene& scene, const Fetch& fetch) {
    const std::string took =
        fmt::format("{} took the request at {:.1f} s", host_text(fetch.server, 0), fetch.latest);
    if (scene.about.now && !scene.stopped() && *scene.about.now - fetch.latest < answer_due_s &&
        !was_asked_in_vain(scene, fetch)) {
        return told("still-fetching", fetch.url, took + ", and nothing has come so far",
                    "a larger --boot-timeout, or a faster server");
    }
    const std::string since = fetch.ended
                                  ? scene.with_complaint(fmt::format(
                                        "{}, and nothing had come when the client gave up {:.0f} s later",
                                        took, *fetch.ended - fetch.latest))
                                  : took + ", and nothing has come since";
    return told("never-answered", fetch.url, since + asked_by(scene, fetch),
                "what serves that port is stuck, or is no web server: look at its log, and try the URL with "
                "curl");
}

Verdict unanswered(const Scene& scene, const Fetch& fetch) {
    if (awaits_answer(fetch)) {
        return never_answered(scene, fetch);
    }
    return told("cannot-fetch", fetch.url,
                scene.with_complaint(
                    fmt::format("{} does not answer; asked {} times", server_of(fetch), fetch.repeats + 1)),
                fetch.protocol == "tftp"
                    ? fmt::format("does a TFTP server run there, and does a firewall let UDP port {} and its "
                                  "answers through?",
                                  fetch.server.port)
                    : "does a server run there, and does a firewall let it through?");
}

// The boot goes on without it: a loader looks for its configuration under many names, of which iPXE says
// nothing; a script that left, or went on to a fault of another line, handled its fault.
bool is_gone_past(const Scene& scene, const Fetch& fetch) {
    if (fetch.state != FetchState::failed || scene.about.network == Network::elsewhere) {
        return false;  // a capture shows all that was asked for: nothing came after it
    }
    const bool gave_up = scene.ipxe_gave_up() || !scene.boot.loader_error.empty();
    const bool by_script = scene.boot.reached(Stage::script) && scene.stopped() &&
                           scene.boot.outcome != Outcome::shell && (!gave_up || ended_by_script(scene));
    return by_script || (fetch.fault == FetchFault::not_found && scene.asked_by_a_program(fetch) &&
                         !gave_up && scene.refused_url() != fetch.url);
}

}  // namespace

// The time was up, and nothing was wrong.
Verdict still_fetching(const Scene& scene) {
    const Fetch* fetch = scene.last_fetch();
    if (fetch == nullptr || scene.stopped() || fetch->state != FetchState::receiving ||
        !scene.is_recent(fetch->latest)) {
        return std::nullopt;
    }
    const double speed = speed_of(*fetch);
    const bool known = fetch->expected && *fetch->expected > fetch->received && speed > 0;
    return told("still-fetching", fetch->url,
                fmt::format("{}{} came, at {}/s", size_text(fetch->received),
                            fetch->expected ? " of " + size_text(*fetch->expected) : "",
                            size_text(static_cast<std::uint64_t>(speed))),
                known ? fmt::format("it needs {:.0f} s more at this speed: a larger --boot-timeout, or a "
                                    "faster server",
                                    static_cast<double>(*fetch->expected - fetch->received) / speed)
                      : "a larger --boot-timeout, or a faster server");
}

// Healthy: a script that asks for a host that is down, and goes on; then something else is seen later.
Verdict nobody_there(const Scene& scene) {
    const auto& unanswered = scene.boot.unanswered;
    const Fetch* fetch = scene.last_fetch();
    if (unanswered.empty() || !(scene.stopped() || scene.about.now) || scene.is_late(unanswered.back().at) ||
        (fetch != nullptr && fetch->latest > unanswered.back().at && fetch->received > 0) ||
        (fetch != nullptr && fetch->began > unanswered.back().at)) {
        return std::nullopt;
    }
    const Address& address = unanswered.back().address;
    return told("nobody-there", role_of(scene, address),
                scene.with_complaint(fmt::format("{} was asked for by ARP at {:.1f} s, and nobody answered",
                                                 to_string(address), unanswered.back().at)),
                "is that host up, on this network, and is its address right where DHCP or the script names "
                "it?");
}

Verdict unknown_name(const Scene& scene) {
    const auto& lookups = scene.boot.lookups;
    const auto bad =
        std::find_if(lookups.rbegin(), lookups.rend(), [](const Lookup& lookup) { return !lookup.found; });
    if (bad == lookups.rend() || (scene.last_fetch() != nullptr && scene.last_fetch()->began > bad->at)) {
        return std::nullopt;
    }
    constexpr std::uint8_t no_such_name = 3;
    if (!bad->answered) {
        return told("dns-silent", bad->name,
                    scene.with_complaint("its name was asked for, and no answer came"),
                    "is the DNS server right that DHCP names (option 6)?");
    }
    return told("dns-unknown", bad->name,
                scene.with_complaint(
                    bad->rcode == no_such_name
                        ? "the DNS server says that there is no such name"
                        : fmt::format("the DNS server's answer has no address (code {})", bad->rcode)),
                "is the name in the script right, and does that DNS server know it?");
}

Verdict no_protocol(const Scene& scene) {
    const auto& all = scene.boot.complaints;
    const bool handled = scene.boot.reached(Stage::script) && !scene.ipxe_gave_up();
    if (!scene.stopped() || all.empty() || !is_no_protocol(all.back().number) || handled) {
        return std::nullopt;
    }
    const std::string url = scene.refused_url().empty() ? scene.named_file() : scene.refused_url();
    return told("no-protocol", url, scene.complaint(),
                url.starts_with("https:") ? "of Debian's iPXEs the BIOS ROMs of Debian 13 alone have HTTPS: "
                                            "use http://, or --ipxe-rom PATH with "
                                            "one that has it"
                                          : "every iPXE of Debian's has http:// and tftp://");
}

Verdict no_fetch(const Scene& scene) {
    if (scene.last_fetch() != nullptr || !scene.stopped() || !scene.boot.reached_or_passed(Stage::address) ||
        scene.boot.reached(Stage::script)) {
        return std::nullopt;
    }
    if (!scene.about.wire) {
        return by_complaint(scene);
    }
    if (const DhcpTalk* dhcp = scene.talk(); dhcp != nullptr && dhcp->own && !is_own_offer_taken(*dhcp)) {
        return told("not-fetched", "", scene.with_complaint(fate_text(*dhcp)),
                    std::string{own_offer_hint(*dhcp)});
    }
    const std::string file = scene.named_file();
    return told("not-fetched", "",
                scene.with_complaint(file.empty() ? "no request was seen" : "DHCP named " + file),
                "can iPXE reach that address? Its own words are on the console");
}

Verdict fetch_failed(const Scene& scene) {
    const Fetch* fetch = scene.last_fetch();
    if (fetch == nullptr) {
        return std::nullopt;
    }
    if (auto verdict = iscsi(scene, *fetch)) {
        return verdict;
    }
    if (scene.has_complaint(is_no_memory) && fetch->state != FetchState::done) {
        return told(
            "no-memory", fetch->url,
            scene.with_complaint(fmt::format("{}{} had come", size_text(fetch->received),
                                             fetch->expected ? " of " + size_text(*fetch->expected) : "")),
            "give the guest more: --memory 2G, or several times the size of kernel and initramfs");
    }
    if (fetch->state == FetchState::done) {
        return redirected(scene, *fetch);
    }
    if (is_gone_past(scene, *fetch)) {
        return std::nullopt;
    }
    if (is_given_up_unanswered(*fetch)) {
        return never_answered(scene, *fetch);
    }
    if (fetch->state == FetchState::asked && !fetch->status) {
        return unanswered(scene, *fetch);
    }
    if (fetch->state == FetchState::asked || fetch->state == FetchState::receiving) {
        return told("stalled-fetch", fetch->url,
                    fmt::format("{}{} came, the last of it at {:.1f} s", size_text(fetch->received),
                                fetch->expected ? " of " + size_text(*fetch->expected) : "", fetch->latest),
                    "is the server still up, and its network?");
    }
    if (fetch->fault == FetchFault::not_found || fetch->fault == FetchFault::access_denied ||
        fetch->fault == FetchFault::client_error || fetch->fault == FetchFault::other_error) {
        if (auto verdict = empty_part(scene, fetch->url, describe_failure(*fetch))) {
            return verdict;
        }
    }
    const std::string own = fetch->fault == FetchFault::not_found ? hint_for_own_server(scene, *fetch) : "";
    return told(
        "cannot-fetch", subject_of(scene, *fetch),
        scene.with_complaint(describe_failure(*fetch)) + loader_words(scene) + asked_by(scene, *fetch),
        own.empty() ? fetch_hint(scene, *fetch) : own);
}

}  // namespace vml::boot
