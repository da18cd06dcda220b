// The timeline's part for the wire.
#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/boot_server_port.h"
#include "bootwatch/own_offer.h"
#include "bootwatch/timeline.h"

namespace vml::boot {

namespace {

bool is_for_group(const Mac& mac) {
    return (mac[0] & 1U) != 0;
}

// GRUB's own DHCP client, and UEFI's for its shell, tell neither a class nor a host name; those of systems
// tell one of them at least (dhclient, systemd-networkd: option 12; udhcpc, dhcpcd, Linux's ipconfig,
// Windows: option 60).
bool is_of_a_system(const DhcpMessage& message) {
    constexpr std::uint8_t host_name = 12;
    return !message.vendor_class.empty() || message.has(host_name);
}
std::string_view title_of(Client client) {
    switch (client) {
        case Client::ipxe:
            return "iPXE";
        case Client::firmware:
            return "the firmware's own client, not iPXE,";
        case Client::other:
            return "another DHCP client";
    }
    return "";
}

std::string boot_file_text(const DhcpMessage& message) {
    std::string text;
    if (!message.bootfile.empty()) {
        text += fmt::format(", file {}", message.bootfile);
    }
    if (!message.next_server.is_zero() && !message.bootfile.empty()) {
        text += fmt::format(" on {}", to_string(message.next_server));
    }
    if (!message.root_path.empty()) {
        text += fmt::format(", root path {}", message.root_path);
    }
    return text.empty() ? ", no file" : text;
}

std::string offer_text(const Offer& offer) {
    return offer.proxy() ? fmt::format("ProxyDHCP offer by {}{}", to_string(offer.sender),
                                       boot_file_text(offer.message))
                         : fmt::format("{} offered by {}{}", to_string(offer.message.yours),
                                       to_string(offer.sender), boot_file_text(offer.message));
}

// What a kernel does with its addresses is its own affair.
void note_twin(Boot& boot, double at, const WatchedNic& nic) {
    const bool known = std::any_of(boot.twins.begin(), boot.twins.end(),
                                   [&](const Twin& twin) { return twin.nic == nic.id; });
    if (!known && !boot.reached_or_passed(Stage::kernel)) {
        boot.twins.push_back({nic.id, nic.mac, at});
    }
}

// A client that gives an address back names no class (RFC 2131, table 5): which one it is, is known from
// before.
bool gives_back(DhcpTalk* talk, double at, const DhcpMessage& message) {
    const bool declines = message.kind == DhcpKind::decline;
    if (talk != nullptr && declines) {
        const bool untold = message.requested.is_zero() && talk->ack;
        ++talk->declines;
        talk->declined = {at, untold ? talk->ack->message.yours : message.requested};
        talk->began_again.reset();
        talk->ack.reset();
    }
    return declines || message.kind == DhcpKind::release;
}

}  // namespace

bool is_uboot(std::string_view vendor_class) {
    return vendor_class.starts_with("U-Boot");
}

Client client_of(const DhcpMessage& message) {
    if (message.user_class.find("iPXE") != std::string::npos) {
        return Client::ipxe;
    }
    const std::string_view vendor = message.vendor_class;
    return vendor.starts_with("PXEClient") || vendor.starts_with("HTTPClient") || is_uboot(vendor)
               ? Client::firmware
               : Client::other;
}

std::vector<Mark> Timeline::packet(double at, std::size_t nic, const Packet& packet) {
    news_ = passes(at);
    const WatchedNic& watched = nics_.at(nic);
    const bool from_guest = packet.sent_by(watched.mac);
    if (packet.source == watched.mac && !from_guest) {
        note_twin(current(), at, watched);
        return {};
    }
    if (!packet.ours) {  // which is no sign of the network
        ++(from_guest ? current().guest_frames : current().other_frames);
    }
    if (!from_guest && packet.target != watched.mac && !is_for_group(packet.target)) {
        return {};
    }
    if (from_guest) {
        mark_once(Stage::link, at, Proof::wire, "up");
        if (const auto* tcp = std::get_if<TcpSegment>(&packet.body);
            tcp != nullptr && subject_ == Subject::captured &&
            is_asked_by_a_system(fetches_.all(), at, *tcp)) {
            mark_once(Stage::kernel, at, Proof::wire, "an HTTP client that is no boot program's asks now");
        }
    }
    if (const auto* message = std::get_if<DhcpMessage>(&packet.body)) {
        dhcp(at, nic, from_guest, packet, *message);
    } else if (const auto* arp_message = std::get_if<ArpMessage>(&packet.body)) {
        arp(at, from_guest, *arp_message);
    } else if (const auto* message6 = std::get_if<Dhcp6Message>(&packet.body)) {
        dhcp6(at, from_guest, packet, *message6);
    } else if (const auto* router = std::get_if<RouterAdvertisement>(&packet.body);
               router != nullptr && !from_guest) {
        current().router_at = current().router_at.value_or(at);
        current().ipv6.router = packet.from.address;
        current().ipv6.managed = router->managed;
    } else if (std::holds_alternative<RouterSolicitation>(packet.body) && from_guest) {
        current().solicited_at = current().solicited_at.value_or(at);
    } else if (const auto index = fetches_.see(at, from_guest, packet)) {
        fetched(at, *index);
    }
    current().chain_rounds = fetches_.chain_rounds();
    return news();
}

DhcpTalk* Timeline::talk_of(std::size_t nic) {
    auto& talks = current().dhcp;
    const auto latest = std::find_if(talks.rbegin(), talks.rend(),
                                     [&](const DhcpTalk& talk) { return talk.nic == nics_[nic].id; });
    return latest == talks.rend() ? nullptr : &*latest;
}

void Timeline::dhcp(double at, std::size_t nic, bool from_guest, const Packet& packet,
                    const DhcpMessage& message) {
    if (message.chaddr != nics_[nic].mac) {
        return;  // another machine's
    }
    if (from_guest && !message.from_server) {
        dhcp_from_guest(at, nic, packet, message);
    } else if (!from_guest && message.from_server) {
        dhcp_from_server(at, nic, packet, message);
        const DhcpTalk* const talk = talk_of(nic);
        if (const std::string words = talk != nullptr ? untold_fate(current(), *talk) : ""; !words.empty()) {
            mark(Stage::address, at, Proof::wire, words, false);
        }
    }
}

void Timeline::dhcp_from_guest(double at, std::size_t nic, const Packet& packet, const DhcpMessage& message) {
    if (DhcpTalk* asked = talk_of(nic); asked != nullptr && packet.to.port == boot_server_port) {
        asked->boot_server = packet.to.address;
        ++asked->boot_server_requests;
        return;
    }
    const Client client = client_of(message);
    DhcpTalk* talk = talk_of(nic);
    if (gives_back(talk, at, message)) {
        return;
    }
    const bool begins = message.kind == DhcpKind::discover || message.kind == DhcpKind::bootp;
    if (talk == nullptr || talk->client != client || (begins && talk->ack)) {
        add_bounded(current().dhcp, {client, nics_[nic].id, at}, most_talks, current().left_out.talks);
        talk = &current().dhcp.back();
        talk->client_arch = message.client_arch;
        talk->vendor_class = message.vendor_class;
        talk->user_class = message.user_class;
        talk->options = message.options;
        talk->broadcast = message.broadcast;
        mark(Stage::discover, at, Proof::wire, fmt::format("{} looks for a server", title_of(client)));
    }
    if (begins && (talk->declined || !talk->naks.empty())) {
        talk->began_again = talk->began_again.value_or(at);
    }
    talk->discovers += begins ? 1 : 0;
    talk->requests += message.kind == DhcpKind::request ? 1 : 0;
    if (client == Client::ipxe && !current().ipxe) {
        current().ipxe = "iPXE";
        mark_once(Stage::option_rom, at, Proof::wire, "iPXE runs");
    } else if (client == Client::firmware) {
        current().firmware_client = true;
    } else if (client == Client::other &&
               (current().ipxe || (subject_ == Subject::captured && current().firmware_client)) &&
               is_of_a_system(message)) {
        mark_once(
            Stage::kernel, at, Proof::wire,
            fmt::format("something else than {} speaks DHCP now", current().ipxe ? "iPXE" : "the firmware"));
    }
}

void Timeline::dhcp_from_server(double at, std::size_t nic, const Packet& packet,
                                const DhcpMessage& message) {
    DhcpTalk* talk = talk_of(nic);
    if (talk == nullptr) {
        return;
    }
    const Offer offer{at, message, packet.from.address};
    talk->boot_server_answered = talk->boot_server_answered || packet.from.port == boot_server_port;
    if (packet.ours) {
        talk->own_answered = talk->own_answered || packet.from.port == boot_server_port;
        if (!talk->own) {  // iPXE keeps the first one for as long as it looks for an address
            talk->own = offer;
            mark(Stage::offer, at, Proof::wire,
                 fmt::format("vm-launch's own, to this guest alone{}", boot_file_text(message)), false);
        }
        return;
    }
    if (message.kind == DhcpKind::nak) {
        add_bounded(talk->naks, offer, most_refusals, current().left_out.refusals);
        talk->began_again.reset();
        return;
    }
    // A ProxyDHCP server may answer a request too, with another ACK; a server repeats its offer when asked
    // again.
    const bool acknowledges = message.kind == DhcpKind::ack && !offer.proxy();
    if (acknowledges) {
        if (!talk->ack) {
            talk->ack = offer;
            fetches_.gets_address(at);
            mark(Stage::address, at, Proof::wire,
                 fmt::format("address {} from {}{}", to_string(message.yours), to_string(offer.sender),
                             boot_file_text(message)));
        }
        return;
    }
    // One that gives addresses may name another file in an offer beside, as a ProxyDHCP server does. What
    // comes from a boot server's port answers another question.
    const bool may_be_beside = message.kind == DhcpKind::offer;
    const bool known = std::any_of(talk->offers.begin(), talk->offers.end(), [&](const Offer& old) {
        return old.sender == offer.sender && (!may_be_beside || old.proxy() == offer.proxy() ||
                                              old.message.bootfile == offer.message.bootfile);
    });
    if (!known) {
        add_bounded(talk->offers, offer, most_offers, current().left_out.offers);
        mark(Stage::offer, at, Proof::wire, offer_text(offer));
    }
}

void Timeline::dhcp6(double at, bool from_guest, const Packet& packet, const Dhcp6Message& message) {
    enum : std::uint8_t { advertise = 2, reply = 7 };
    Ipv6Story& story = current().ipv6;
    if (from_guest) {
        // A VM's DHCPv6 is told by what comes of it.
        if (subject_ == Subject::captured && !story.solicited_at && (message.boots || message.ipxe)) {
            mark(Stage::discover, at, Proof::wire,
                 fmt::format("{} looks for a DHCPv6 server",
                             title_of(message.ipxe ? Client::ipxe : Client::firmware)));
        }
        story.solicited_at = story.solicited_at.value_or(at);
        if (!story.client && (message.ipxe || message.boots)) {
            story.client = message.ipxe ? Client::ipxe : Client::firmware;
        }
        return;
    }
    if (message.kind != advertise && message.kind != reply) {
        return;
    }
    story.answered_at = story.answered_at.value_or(at);
    story.server = packet.from.address;
    story.address = story.address || message.has_address;
    story.bootfile = message.bootfile_url.empty() ? story.bootfile : message.bootfile_url;
    const std::string text =
        fmt::format("DHCPv6 by {}{}", to_string(packet.from.address),
                    message.bootfile_url.empty() ? "" : ", file " + message.bootfile_url);
    const auto& marks = current().marks;
    if (std::none_of(marks.begin(), marks.end(), [&](const Mark& mark) { return mark.detail == text; })) {
        mark(Stage::offer, at, Proof::wire, text);
    }
}

void Timeline::arp(double at, bool from_guest, const ArpMessage& message) {
    auto& unanswered = current().unanswered;
    const auto known = [&](const Address& address) {
        return std::find_if(unanswered.begin(), unanswered.end(),
                            [&](const Unanswered& old) { return old.address == address; });
    };
    if (from_guest && message.request && message.target != message.sender) {
        if (const auto old = known(message.target); old != unanswered.end()) {
            unanswered.erase(old);
        }
        add_bounded(unanswered, {message.target, at}, most_texts, current().left_out.unanswered);
    } else if (!from_guest && !message.request) {
        if (const auto old = known(message.sender); old != unanswered.end()) {
            unanswered.erase(old);
        }
    }
}

void Timeline::fetched(double at, std::size_t index) {
    const Fetch& fetch = fetches_.all()[index];
    if (!current().dhcp.empty() && note_choice(current().dhcp.back(), fetch)) {
        if (const std::string words = untold_fate(current(), current().dhcp.back()); !words.empty()) {
            mark(Stage::address, at, Proof::wire, words, false);
        }
    }
    if (!fetch.ended || (is_probe(fetch) && !is_given_up_unanswered(fetch))) {
        return;
    }
    if (is_searched(at, fetch)) {
        return;
    }
    tell_search(&fetch);
    const bool whole = fetch.state == FetchState::done && fetch.location.empty();
    mark(Stage::fetch, at, fetch.by_console ? Proof::console : Proof::wire, describe(fetch), whole);
    if (whole && fetch.content == Content::ipxe_script && current().ipxe) {
        mark(Stage::script, at, Proof::wire, fmt::format("{} runs", base_name(fetch.url)));
    }
}

}  // namespace vml::boot
