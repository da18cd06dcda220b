// Verdicts on the URL that a script asked for, by its text.
#include <algorithm>

#include <fmt/format.h>

#include "bootwatch/ipxe_error.h"
#include "bootwatch/script_places.h"
#include "bootwatch/verdict_scene.h"
#include "ipxescript/urls.h"

namespace vml::boot {

// Healthy: a base URL that ends in a slash, and a server that does not mind: then nothing has failed.
Verdict empty_part(const Scene& scene, const std::string& url, const std::string& why) {
    const std::vector<KnownScript> scripts = known_scripts(scene);
    const std::string unset = unset_in(scripts, url);
    // A known line without such a variable was written so.
    const bool may_be_unset = ipxescript::has_empty_part(url) && askers_of(scripts, url).empty();
    if (unset.empty() && !may_be_unset) {
        return std::nullopt;
    }
    const std::string seen = scene.with_complaint(why);
    return told(
        "empty-part", url, unset.empty() ? seen : fmt::format("{}; {}", unset, seen),
        unset.empty()
            ? "is a variable of the script unset? `echo` it before that line; `isset ${NAME} || set NAME "
              "VALUE` "
              "gives it a value"
            : "is its name spelt right? `isset ${NAME} || set NAME VALUE` before that line gives it a value");
}

// "http:///k": iPXE asks DNS for a server without a name, or nobody.
Verdict no_server_in_url(const Scene& scene) {
    const std::string url = scene.refused_url();
    const std::size_t server = url.find("://");
    const bool none = server != std::string::npos && (url[server + 3] == '/' || url[server + 3] == ':');
    return none && scene.stopped() && scene.ipxe_gave_up() ? empty_part(scene, url, "it names no server")
                                                           : std::nullopt;
}

std::string asked_by(const Scene& scene, const Fetch& fetch) {
    if (scene.asked_by_a_program(fetch)) {
        return {};
    }
    const std::vector<KnownScript> scripts = known_scripts(scene);
    const std::string place = text_of(askers_of(scripts, fetch.url));
    return place.empty() ? std::string{} : fmt::format("; asked for by {}", place);
}

namespace {

// "boot.example.org" of "http://boot.example.org:8080/x"; "" where it is an address, or no URL alone. A
// script or iPXE puts settings in ("http://${next-server}/").
std::string name_in(const std::string& url) {
    const std::size_t scheme = url.find("://");
    const auto is_letter = [](char each) { return each >= 'a' && each <= 'z'; };
    if (scheme == std::string::npos || url.find("${") != std::string::npos ||
        !std::all_of(url.begin(), url.begin() + static_cast<std::ptrdiff_t>(scheme), is_letter)) {
        return {};
    }
    const std::string authority = url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3);
    const std::string host = authority.substr(authority.find('@') + 1);
    const std::string name = host.substr(0, host.find(':'));
    const bool address = host.starts_with('[') || name.find_first_not_of("0123456789.") == std::string::npos;
    return address ? std::string{} : name;
}

// Whoever names one, iPXE may have taken it.
bool names_no_dns(const DhcpTalk& talk) {
    const auto without = [](const Offer& offer) { return offer.message.dns_servers.empty(); };
    return (!talk.ack || without(*talk.ack)) && (talk.ack || !talk.offers.empty()) &&
           (!talk.own || talk.own->message.dns_servers.empty()) &&
           std::all_of(talk.offers.begin(), talk.offers.end(), without);
}

// It looked for a machine, and so had an address to look for.
bool knew_an_address(const Scene& scene, const DhcpTalk& talk) {
    return !scene.boot.unanswered.empty() && scene.boot.unanswered.back().at > talk.began;
}

}  // namespace

// iPXE gets its address first; UEFI's HTTP client asks for none where nobody names a DNS server (edk2
// HttpBootDxe/HttpBootDhcp4.c, HttpBootSelectDhcpOffer). Healthy: DNS by IPv6.
Verdict no_name_server(const Scene& scene) {
    const DhcpTalk* const talk = scene.talk();
    if (talk == nullptr || !scene.stopped() || scene.is_past(*talk) || !scene.boot.lookups.empty() ||
        scene.boot.ipv6.router || scene.boot.ipv6.answered_at || scene.boot.reached(Stage::script) ||
        knew_an_address(scene, *talk)) {
        return std::nullopt;
    }
    const bool by_ipxe = talk->client == Client::ipxe && talk->ack;
    const bool by_http = talk->client == Client::firmware && talk->vendor_class.starts_with("HTTPClient");
    const std::string url = scene.named_file();
    const std::string name = name_in(url);
    const auto& said = scene.boot.complaints;
    const bool knows_no_scheme = !said.empty() && is_no_protocol(said.back().number);
    if (name.empty() || knows_no_scheme || !(by_ipxe || by_http) || !names_no_dns(*talk)) {
        return std::nullopt;
    }
    return told("no-dns", url,
                scene.with_complaint(fmt::format(
                    "{} is to be looked up, and {} DNS server (option 6)", name,
                    talk->ack ? to_string(talk->ack->sender) + " names no" : "no DHCP offer names a")),
                "let the DHCP server name a DNS server (option 6), or write the server's address into the "
                "URL");
}

}  // namespace vml::boot
