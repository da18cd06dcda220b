#include "bootwatch/hints.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/mac.h"
#include "bootwatch/own_offer.h"

namespace vml::boot {

namespace {

// Shorter gaps have other reasons.
constexpr double noticeable_s = 2;

const DhcpTalk* ipxe_talk(const Boot& boot) {
    const auto talk = std::find_if(boot.dhcp.begin(), boot.dhcp.end(), [](const DhcpTalk& candidate) {
        return candidate.client == Client::ipxe && candidate.ack;
    });
    return talk == boot.dhcp.end() ? nullptr : &*talk;
}

// Until iPXE did something with its address; 0 when that was not seen.
double idle_after(const Boot& boot, double at) {
    double next = 0;
    const auto take = [&](double when) {
        if (when > at && (next == 0 || when < next)) {
            next = when;
        }
    };
    for (const Fetch& fetch : boot.fetches) {
        take(fetch.began);
    }
    for (const Lookup& lookup : boot.lookups) {
        take(lookup.at);
    }
    return next == 0 ? 0 : next - at;
}

void router_hint(const Boot& boot, const DhcpTalk& talk, bool spared, std::vector<std::string>& hints) {
    if (!boot.solicited_at || boot.router_at) {
        return;
    }
    const double waited = idle_after(boot, talk.ack->at);
    constexpr std::string_view mend =
        "let any host of the network announce itself as an IPv6 router, be it with a lifetime of 0 (radvd, "
        "or dnsmasq's "
        "enable-ra)";
    if (spared) {
        hints.push_back(fmt::format(
            "no IPv6 router answers on this network: iPXE as in Debian 12 waits 13 s for one, on bare "
            "metal too; to mend it there: {}",
            mend));
    } else if (waited > noticeable_s) {
        hints.push_back(fmt::format(
            "no IPv6 router answers on this network: iPXE waited {:.0f} s for one, and does so on bare "
            "metal too; to mend it: {}",
            waited, mend));
    }
}

// iPXE takes 3 s for offers of ProxyDHCP servers to come, unless the DHCP server tells that there are none.
void proxy_hint(const DhcpTalk& talk, std::vector<std::string>& hints) {
    const auto real = std::find_if(talk.offers.begin(), talk.offers.end(),
                                   [](const Offer& offer) { return !offer.proxy(); });
    const bool has_proxy =
        std::any_of(talk.offers.begin(), talk.offers.end(), [](const Offer& offer) { return offer.proxy(); });
    if (real == talk.offers.end() || has_proxy || talk.own || talk.ack->message.no_proxy_wait) {
        return;
    }
    const double waited = talk.ack->at - real->at;
    if (waited > noticeable_s) {
        hints.push_back(fmt::format(
            "iPXE waited {:.0f} s for a ProxyDHCP server; where there is none, let the DHCP server say so: "
            "option 175.176 = 1 (dnsmasq: dhcp-option=encap:175,176,1b)",
            waited));
    }
}

}  // namespace

std::string describe(const Twin& twin) {
    return fmt::format(
        "a frame from {}'s own MAC address {} came in from the network at {:.1f} s: another machine has this "
        "address "
        "too, or the network sends the guest's own frames back to it",
        twin.nic, mac_text(twin.mac), twin.at);
}

std::vector<std::string> network_hints(const Boot& boot, bool spared) {
    std::vector<std::string> hints;
    if (const DhcpTalk* talk = ipxe_talk(boot)) {
        router_hint(boot, *talk, spared, hints);
        proxy_hint(*talk, hints);
        if (talk->own && !is_own_offer_taken(*talk)) {
            hints.push_back(fmt::format("{}; {}", fate_text(*talk), own_offer_hint(*talk)));
        }
    }
    return hints;
}

}  // namespace vml::boot
