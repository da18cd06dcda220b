#include "bootwatch/own_offer.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vml::boot {

namespace {

constexpr std::int8_t highest_priority = 127;

// Times are those of reading: what lay in the packet socket when vm-launch sent its own may have reached the
// guest before it, and is read right after. In this time it has been, by far.
constexpr double unordered_s = 0.01;

enum class Fate {
    taken,
    left,         // it asked for another file, and nothing that was seen tells why
    unsettled,    // another server's came at the same time, and the first one counts
    forbidden,    // the DHCP server tells iPXE to take no ProxyDHCP server's offer
    outranked,    // a file that the network names has the highest priority too
    anticipated,  // with another server's, the client had all that it waits for before
    with_address  // the server that gives the address is a server of this client's kind by itself
};

bool names_with_highest_priority(const Offer& offer) {
    return !offer.message.bootfile.empty() && offer.message.ipxe_priority == highest_priority;
}

std::string_view class_of(const DhcpTalk& talk) {
    return talk.own->message.vendor_class;
}

bool is_of_class(const Offer& offer, std::string_view kind) {
    return offer.message.vendor_class.starts_with(kind);
}

bool is_by_http(const DhcpTalk& talk) {
    return class_of(talk).starts_with("HTTP");
}

// The first of these.
template <typename Is>
const Offer* offer_that(const DhcpTalk& talk, const Is& is) {
    const auto found = std::find_if(talk.offers.begin(), talk.offers.end(), is);
    return found == talk.offers.end() ? nullptr : &*found;
}

// iPXE takes one of a DHCP server's that calls itself a PXE server for both (src/net/udp/dhcp.c,
// dhcp_discovery_rx), and asks for its address at once.
bool is_like_a_proxys(const Offer& offer) {
    return offer.proxy() || is_of_class(offer, "PXEClient");
}

// An address and an offer like a ProxyDHCP server's had come before that time, and iPXE waited for no more.
bool has_all(const DhcpTalk& talk, double before) {
    const auto address = [&](const Offer& offer) { return !offer.proxy() && offer.at < before; };
    const auto proxy = [&](const Offer& offer) { return is_like_a_proxys(offer) && offer.at < before; };
    return offer_that(talk, address) != nullptr && offer_that(talk, proxy) != nullptr;
}

// UEFI's clients go by the kinds of offers (edk2: NetworkPkg/UefiPxeBcDxe/PxeBcDhcp4.c,
// PxeBcSelectDhcp4Offer; HttpBootDxe/HttpBootDhcp4.c, HttpBootSelectDhcpOffer): before a ProxyDHCP server of
// the client's kind goes a DHCP server of that kind, and behind it one that names a file and is of no kind.
// PXE servers of whatever sort that do not tell how to find a boot server are asked at port 4011, where
// vm-launch answers. The HTTP client, and of ProxyDHCP servers that do the PXE client too, takes what came
// first.
const Offer* rival_with_address(const DhcpTalk& talk) {
    return offer_that(talk, [&](const Offer& offer) {
        return !offer.proxy() && is_of_class(offer, class_of(talk)) &&
               (is_by_http(talk) ? !offer.message.bootfile.empty() : offer.message.discovery.has_value());
    });
}

const Offer* rival_without_address(const DhcpTalk& talk, double before) {
    return offer_that(talk, [&](const Offer& offer) {
        return offer.proxy() && is_of_class(offer, class_of(talk)) &&
               (is_by_http(talk) || offer.message.discovery) && offer.at < before;
    });
}

// The rival has it ask a boot server, vm-launch has answered, and any answer is good (edk2's
// PxeBcDhcp4Discover takes none but a listed server's where the rival says so).
bool answers_for(const DhcpTalk& talk, const Offer& rival) {
    return talk.own_answered && rival.message.discovery &&
           (rival.message.discovery->control & PxeDiscovery::only_from_list) == 0;
}

Fate fate_at_firmware(const DhcpTalk& talk) {
    if (const Offer* const rival = rival_with_address(talk)) {
        return answers_for(talk, *rival) ? Fate::taken : Fate::with_address;
    }
    if (const Offer* const rival = rival_without_address(talk, talk.own->at)) {
        return answers_for(talk, *rival) ? Fate::taken : Fate::anticipated;
    }
    const Offer* const rival = rival_without_address(talk, talk.own->at + unordered_s);
    return rival == nullptr || answers_for(talk, *rival) ? Fate::taken : Fate::unsettled;
}

Fate fate_at_ipxe(const DhcpTalk& talk) {
    if (talk.own_answered) {
        return Fate::taken;
    }
    if (talk.ack && talk.ack->message.no_proxy_wait) {
        return Fate::forbidden;
    }
    // iPXE of Debian 12 takes vm-launch's, that of Debian 13 the network's (measured).
    if (talk.ack && names_with_highest_priority(*talk.ack)) {
        return Fate::outranked;
    }
    if (talk.boot_server_requests > 0 || has_all(talk, talk.own->at)) {
        return Fate::anticipated;
    }
    return has_all(talk, talk.own->at + unordered_s) ? Fate::unsettled : Fate::taken;
}

Fate fate_of(const DhcpTalk& talk) {
    if (talk.chosen && talk.chosen->own) {
        return Fate::taken;
    }
    const Fate fate = talk.client == Client::firmware ? fate_at_firmware(talk) : fate_at_ipxe(talk);
    const bool open = fate == Fate::taken || fate == Fate::unsettled || fate == Fate::outranked;
    return talk.chosen && open ? Fate::left : fate;
}

// Does this URL name the file of this offer? By TFTP it comes from siaddr, which UEFI's client takes the
// server's own address for where there is none.
bool is_named_by(const Offer& offer, std::string_view url) {
    std::string_view file = offer.message.bootfile;
    if (file.find("://") != std::string_view::npos) {
        return url == file;
    }
    file.remove_prefix(file.starts_with('/') ? 1 : 0);
    if (file.empty() || !url.ends_with(file)) {
        return false;
    }
    const Address& next_server = offer.message.next_server;
    return url ==
           fmt::format("tftp://{}/{}", to_string(next_server.is_zero() ? offer.sender : next_server), file);
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
            all.push_back(fmt::format("that of the ProxyDHCP server {}", to_string(offer.sender)));
        } else if (talk.client == Client::firmware && is_of_class(offer, class_of(talk)) &&
                   offer.message.bootfile.empty()) {
            all.push_back(
                fmt::format("that of the DHCP server {}, a boot server itself", to_string(offer.sender)));
        }
    }
    return all;
}

std::string_view title_of_client(const DhcpTalk& talk) {
    return talk.client == Client::firmware ? "the firmware" : "iPXE";
}

// The one that came at the same time, or before.
std::string first_rival(const DhcpTalk& talk) {
    const Offer* const first = talk.client == Client::firmware
                                   ? rival_without_address(talk, talk.own->at + unordered_s)
                                   : offer_that(talk, is_like_a_proxys);
    const Address& sender = first == nullptr ? talk.boot_server : first->sender;
    return fmt::format("that of the {} server {}", first == nullptr || first->proxy() ? "ProxyDHCP" : "DHCP",
                       to_string(sender));
}

std::string text_of_rival_with_address(const DhcpTalk& talk) {
    const Offer& rival = *rival_with_address(talk);
    const unsigned control = rival.message.discovery.value_or(PxeDiscovery{}).control;
    const bool named =
        !rival.message.bootfile.empty() && (is_by_http(talk) || (control & PxeDiscovery::file_as_named) != 0);
    return fmt::format(
        "the firmware ignores vm-launch's offer: the DHCP server {} answers it as a {} server itself (option "
        "60), and {}",
        to_string(rival.sender), class_of(talk),
        named ? "names what boots"
        : (control & PxeDiscovery::only_from_list) != 0
            ? "lets it take none but a listed boot server's answer (option 43)"
            : "tells it how to find a boot server (option 43)");
}

}  // namespace

bool note_choice(DhcpTalk& talk, const Fetch& fetch) {
    if (!talk.own || talk.chosen || fetch.began < talk.began) {
        return false;
    }
    const auto named = [&](const Offer& offer) { return is_named_by(offer, fetch.url); };
    if (named(*talk.own)) {
        talk.chosen = ChosenFile{fetch.url, true};
    } else if ((talk.ack && named(*talk.ack)) || offer_that(talk, named) != nullptr) {
        talk.chosen = ChosenFile{fetch.url, false};
    }
    return talk.chosen.has_value();
}

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
        case Fate::left:
            return fmt::format("{} leaves vm-launch's file for {}", title_of_client(talk), talk.chosen->url);
        case Fate::unsettled:
            return fmt::format(
                "{} may leave vm-launch's file: the offer came at the same time as {}, and the first one "
                "counts",
                title_of_client(talk), first_rival(talk));
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
            return fmt::format("{} ignores vm-launch's offer: {} came before it", title_of_client(talk),
                               first_rival(talk));
        case Fate::with_address:
            return text_of_rival_with_address(talk);
    }
    return {};
}

std::string untold_fate(const Boot& boot, const DhcpTalk& talk) {
    const std::string words = talk.ack ? cut_to(fate_text(talk), longest_detail) : "";
    const bool told = std::any_of(boot.marks.begin(), boot.marks.end(), [&](const Mark& mark) {
        return mark.at >= talk.began && mark.detail == words;
    });
    return told ? "" : words;
}

std::string_view own_offer_hint(const DhcpTalk& talk) {
    if (talk.client == Client::firmware) {
        return "let the network's DHCP servers send this machine no option 60, by which the firmware takes "
               "them for boot servers, or name the file there";
    }
    const Fate fate = fate_of(talk);
    return fate == Fate::forbidden || fate == Fate::outranked || fate == Fate::taken
               ? "let the network's DHCP server send iPXE neither option 175.176 nor option 175.1 = 127, or "
                 "name the file itself"
               : "let the network's servers send this machine no option 60 (PXEClient), by which iPXE takes "
                 "their offers for a ProxyDHCP server's, or name the file there";
}

}  // namespace vml::boot
