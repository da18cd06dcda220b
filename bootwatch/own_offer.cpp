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
    forbidden,    // the DHCP server tells iPXE to take no ProxyDHCP server's offer
    outranked,    // a file that the network names has the highest priority too
    anticipated,  // with another ProxyDHCP server's, the client had all that it waits for before
    with_address  // the server that gives the address is a server of this client's kind by itself
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

std::string_view class_of(const DhcpTalk& talk) {
    return talk.own->message.vendor_class;
}

// Of a DHCP server that says it is one of the client's kind by itself.
bool gives_address_as_such(const DhcpTalk& talk, const Offer& offer) {
    return !offer.proxy() && offer.message.vendor_class.starts_with(class_of(talk));
}

// UEFI's clients go by the kinds of offers (edk2: NetworkPkg/UefiPxeBcDxe/PxeBcDhcp4.c,
// PxeBcSelectDhcp4Offer; HttpBootDxe/HttpBootDhcp4.c, HttpBootSelectDhcpOffer): before a ProxyDHCP server of
// the client's kind goes a DHCP server of that kind, and behind it one that names a file and is of no kind.
// The PXE client asks whoever it takes at port 4011 then, where vm-launch answers, unless all is said in
// option 43. The HTTP client takes of equal ones what came first.
Fate fate_at_firmware(const DhcpTalk& talk) {
    constexpr std::uint8_t discovery = 43;
    const bool by_http = class_of(talk).starts_with("HTTP");
    const auto with_address = [&](const Offer& offer) {
        return gives_address_as_such(talk, offer) && (by_http || offer.message.has(discovery)) &&
               !offer.message.bootfile.empty();
    };
    const auto earlier = [&](const Offer& offer) {
        return by_http && offer.proxy() && offer.message.vendor_class.starts_with(class_of(talk)) &&
               offer.at < talk.own->at;
    };
    const auto& offers = talk.offers;
    if (std::any_of(offers.begin(), offers.end(), with_address)) {
        return Fate::with_address;
    }
    return std::any_of(offers.begin(), offers.end(), earlier) ? Fate::anticipated : Fate::taken;
}

Fate fate_of(const DhcpTalk& talk) {
    if (talk.own_answered) {
        return Fate::taken;
    }
    if (talk.client == Client::firmware) {
        return fate_at_firmware(talk);
    }
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
    const bool firmware = talk.client == Client::firmware;
    for (const Offer& offer : talk.offers) {
        if (offer.proxy()) {
            all.push_back(fmt::format("that of the ProxyDHCP server {}{}", to_string(offer.sender),
                                      firmware ? "" : ", unless it had that one's first"));
        } else if (firmware && gives_address_as_such(talk, offer) && offer.message.bootfile.empty()) {
            all.push_back(
                fmt::format("that of the DHCP server {}, a boot server itself", to_string(offer.sender)));
        }
    }
    return all;
}

std::string_view title_of_client(const DhcpTalk& talk) {
    return talk.client == Client::firmware ? "the firmware" : "iPXE";
}

// Whose offer goes before, as far as it is known.
std::string rival_with_address(const DhcpTalk& talk) {
    for (const Offer& offer : talk.offers) {
        if (gives_address_as_such(talk, offer)) {
            return to_string(offer.sender);
        }
    }
    return {};
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
                                  : fmt::format("{} takes vm-launch's file before {}", title_of_client(talk),
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
            return fmt::format("{} ignores vm-launch's offer: another ProxyDHCP server's came before it",
                               title_of_client(talk));
        case Fate::with_address:
            return fmt::format(
                "the firmware ignores vm-launch's offer: the DHCP server {} answers it as a {} server itself "
                "(option 60), and names what boots",
                rival_with_address(talk), class_of(talk));
    }
    return {};
}

std::string_view own_offer_hint(const DhcpTalk& talk) {
    return talk.client == Client::firmware ? "let the network's DHCP servers send this machine no option 60, "
                                             "by which the firmware takes them "
                                             "for boot servers, or name the file there"
                                           : "let the network's DHCP server send iPXE neither option 175.176 "
                                             "nor option 175.1 = 127, or name "
                                             "the file itself";
}

}  // namespace vml::boot
