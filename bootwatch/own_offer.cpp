#include "bootwatch/own_offer.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vml::boot {

namespace {

constexpr std::int8_t highest_priority = 127;

enum class Fate {
    taken,
    forbidden,   // the DHCP server tells iPXE to take no ProxyDHCP server's offer
    outranked,   // a file that the network names has the highest priority too
    anticipated  // with another ProxyDHCP server's, iPXE had all that it waits for before
};

bool names_with_highest_priority(const Offer& offer) {
    return !offer.message.bootfile.empty() && offer.message.ipxe_priority == highest_priority;
}

// Another ProxyDHCP server's offer, and one of an address, came before vm-launch's own.
bool is_anticipated(const DhcpTalk& talk) {
    const auto earlier = [&](bool proxy) {
        return std::any_of(talk.offers.begin(), talk.offers.end(), [&](const Offer& offer) {
            // One of a DHCP server's that calls itself a PXE server is both (src/net/udp/dhcp.c).
            const bool both = !offer.proxy() && offer.message.vendor_class.starts_with("PXEClient");
            return (both || offer.proxy() == proxy) && offer.at < talk.own->at;
        });
    };
    return earlier(true) && earlier(false);
}

Fate fate_of(const DhcpTalk& talk) {
    if (talk.ack && talk.ack->message.no_proxy_wait) {
        return Fate::forbidden;
    }
    // iPXE of Debian 12 takes vm-launch's, that of Debian 13 the network's (measured).
    if (talk.ack && names_with_highest_priority(*talk.ack)) {
        return Fate::outranked;
    }
    return talk.boot_server_requests > 0 || is_anticipated(talk) ? Fate::anticipated : Fate::taken;
}

// A file of the DHCP server, and other ProxyDHCP servers.
std::vector<std::string> rivals(const DhcpTalk& talk) {
    std::vector<std::string> all;
    if (talk.ack && !talk.ack->message.bootfile.empty()) {
        all.push_back(fmt::format("the network's own ({}, named by {})", talk.ack->message.bootfile,
                                  to_string(talk.ack->sender)));
    }
    for (const Offer& offer : talk.offers) {
        if (offer.proxy()) {
            all.push_back(fmt::format("that of the ProxyDHCP server {}, unless it had that one's first",
                                      to_string(offer.sender)));
        }
    }
    return all;
}

}  // namespace

bool is_own_offer_taken(const DhcpTalk& talk) {
    return talk.own && fate_of(talk) == Fate::taken;
}

std::string fate_text(const DhcpTalk& talk) {
    if (!talk.own) {
        return {};
    }
    switch (fate_of(talk)) {
        case Fate::taken: {
            const std::vector<std::string> others = rivals(talk);
            return others.empty() ? ""
                                  : fmt::format("iPXE takes vm-launch's file before {}",
                                                fmt::join(others, " and before "));
        }
        case Fate::forbidden:
            return fmt::format(
                "iPXE ignores vm-launch's offer: the DHCP server {} tells it to take no ProxyDHCP server's "
                "(option 175.176)",
                to_string(talk.ack->sender));
        case Fate::outranked:
            return fmt::format(
                "iPXE may leave vm-launch's file: {} gives {} the highest priority too (option 175.1), and "
                "which of the two is taken differs from one iPXE to another",
                to_string(talk.ack->sender), talk.ack->message.bootfile);
        case Fate::anticipated:
            return "iPXE ignores vm-launch's offer: another ProxyDHCP server's came before it";
    }
    return {};
}

}  // namespace vml::boot
