// Verdicts on the link and on DHCP.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bootwatch/ipxe_error.h"
#include "bootwatch/own_offer.h"
#include "bootwatch/probe.h"
#include "bootwatch/timeline.h"
#include "bootwatch/verdict_scene.h"

namespace vml::boot {

namespace {

// What to look at on the way to the servers.
std::string path_hint(const Scene& scene) {
    switch (scene.about.network) {
        case Network::nat:
            return "QEMU's own DHCP answers in nat mode: were QEMU's -netdev options changed?";
        case Network::bridge:
            return fmt::format(
                "is the DHCP server behind a port of {}? `bridge link` shows its ports, `vm-launch doctor` "
                "checks it; a firewall on the host may drop bridged frames",
                scene.about.host_link);
        case Network::direct:
            return fmt::format(
                "is {} on the DHCP server's network? The host itself cannot serve its own macvtap guests; a "
                "switch may allow one MAC address a port",
                scene.about.host_link);
        case Network::isolated:
            return "vm-launch itself answers on an isolated segment, but only this NIC's MAC address: was "
                   "that changed in the guest?";
        case Network::elsewhere:
            return "is a DHCP server on this network or VLAN, or a relay to it, with a free address and a "
                   "rule "
                   "for this client? A switch may hold the port back (spanning tree) or drop the answers "
                   "(DHCP "
                   "snooping); where the capture was made, answers must pass";
    }
    return {};
}

// By whomever: the link carries frames to the guest.
bool probe_was_answered(const Scene& scene) {
    return scene.boot.probe && !scene.boot.probe->offers.empty();
}

std::string surroundings(const Scene& scene) {
    std::vector<std::string> parts = scene.about.link_state;
    if (scene.about.wire &&
        (scene.about.network == Network::bridge || scene.about.network == Network::direct)) {
        parts.push_back(scene.boot.other_frames > 0
                            ? fmt::format("{} frames from other hosts arrived, so the link works",
                                          scene.boot.other_frames)
                        : probe_was_answered(scene)
                            ? "nothing but answers to vm-launch's own probe came in over the guest's link"
                            : "nothing at all came in over the guest's link");
    }
    return fmt::format("{}", fmt::join(parts, "; "));
}

std::string unanswered(const DhcpTalk& dhcp) {
    return fmt::format("{} sent {} DISCOVER{} over {} from {:.1f} s on, and no server answered",
                       name_of(dhcp.client), dhcp.discovers, dhcp.discovers == 1 ? "" : "s", dhcp.nic,
                       dhcp.began);
}

// Before this boot, and over the NIC that this is about.
const Probe* probe_beside(const Scene& scene, const DhcpTalk& dhcp) {
    const auto& probe = scene.boot.probe;
    return probe && probe->nic == dhcp.nic && probe->sent > 0 ? &*probe : nullptr;
}

// iPXE asks for an answer to itself; edk2's clients ask for one to everybody, as the probe does, for which
// the guest's own link may not be up yet.
std::string probe_hint(bool differs, bool to_itself) {
    std::string hint = differs ? "does the server, or a firewall on the way, look at these options, or has "
                                 "the server gone since?"
                               : "has that server gone since?";
    if (to_itself) {
        hint +=
            " The probe asks for an answer to everybody, the guest for one to its own MAC address: does "
            "something on the way drop frames for addresses that it does not know (a hypervisor around "
            "this host, Wi-Fi, port security)?";
    }
    return hint + " Look at the server's log for this MAC address";
}

// The network gives addresses, by the same way and to the same MAC address.
Verdict offer_to_probe(const Scene& scene, const DhcpTalk& dhcp, const std::string& why) {
    const Probe* probe = probe_beside(scene, dhcp);
    if (probe == nullptr || !has_address(*probe)) {
        return std::nullopt;
    }
    const Offer& offer = *std::find_if(probe->offers.begin(), probe->offers.end(),
                                       [](const Offer& candidate) { return !candidate.proxy(); });
    const std::string difference = difference_text(*probe, dhcp);
    return told("offer-to-probe", "",
                fmt::format("{}; to the same question of vm-launch's own, sent from the guest's MAC address "
                            "at {:.1f} s, {} had offered {}; {}",
                            why, probe->began, to_string(offer.sender), to_string(offer.message.yours),
                            difference.empty() ? "the guest's own is the same in what servers look at"
                                               : "of the guest's own " + difference),
                probe_hint(!difference.empty(), !dhcp.broadcast));
}

// Nobody gives IPv4 addresses here, and IPv6 was seen.
Verdict ipv6_only(const Scene& scene, const DhcpTalk& dhcp) {
    const Ipv6Story& story = scene.boot.ipv6;
    if (!story.router && !story.answered_at) {
        return std::nullopt;
    }
    if (story.answered_at && story.address && story.bootfile.empty()) {
        return told("no-file-6", "",
                    fmt::format("{}; DHCPv6 by {} named no file (option 59)", unanswered(dhcp),
                                to_string(story.server)),
                    "set the boot file on the DHCPv6 server (dnsmasq: dhcp-option=option6:bootfile-url,URL)");
    }
    std::string seen;
    if (story.router) {
        seen += fmt::format("; the router {} advertised itself{}", to_string(*story.router),
                            story.managed ? ", addresses by DHCPv6" : "");
    }
    seen += story.answered_at    ? fmt::format("; DHCPv6 by {} names {}", to_string(story.server),
                                            story.bootfile.empty() ? "no file" : story.bootfile)
            : story.solicited_at ? "; no DHCPv6 server answered"
                                 : "; the client never asked DHCPv6";
    return told("ipv6-only", "", unanswered(dhcp) + seen,
                scene.about.network == Network::isolated
                    ? path_hint(scene)
                    : "a boot over IPv6 needs a router that sends to DHCPv6 (flag M or O) and a boot file "
                      "there (option 59); else start a DHCPv4 server");
}

// Without a view of the wire iPXE's own words have to do.
Verdict no_discover(const Scene& scene) {
    if (!scene.has_complaint(is_no_address) || scene.boot.reached_or_passed(Stage::address) ||
        scene.last_fetch() != nullptr) {
        return std::nullopt;
    }
    return scene.about.wire
               ? told("no-discover", "", scene.with_complaint("no DISCOVER was seen on its link"),
                      "does this iPXE know the NIC? --nic-model virtio or e1000")
               : told("no-offer", "", scene.complaint(), path_hint(scene));
}

bool is_url(const std::string& file) {
    return file.find("://") != std::string::npos;
}

// The file's name is known, its server is not: iPXE takes siaddr alone (src/usr/autoboot.c, next-server).
Verdict no_server(const DhcpTalk& dhcp, const std::string& file) {
    const DhcpMessage& ack = dhcp.ack->message;
    const bool somebody =
        dhcp.own || std::any_of(dhcp.offers.begin(), dhcp.offers.end(),
                                [](const Offer& offer) { return !offer.message.next_server.is_zero(); });
    if (!ack.root_path.empty() || is_url(file) || !ack.next_server.is_zero() || somebody ||
        dhcp.client != Client::ipxe) {
        return std::nullopt;
    }
    return told(
        "no-server", file,
        ack.server_name.empty()
            ? fmt::format("{} left the next server (siaddr) empty", to_string(dhcp.ack->sender))
            : fmt::format("{} named {} by option 66 and left the next server (siaddr) empty, which "
                          "is what iPXE takes",
                          to_string(dhcp.ack->sender), ack.server_name),
        "set the next server (dnsmasq: dhcp-boot=FILE,NAME,ADDRESS; ISC: next-server), or name a URL");
}

std::string file_hint(const Scene& scene) {
    return scene.about.network == Network::nat || scene.about.network == Network::isolated
               ? "give --netboot-dir DIR with a boot.ipxe in it, or --bootfile URL"
               : "set the filename on the DHCP server (dnsmasq: dhcp-boot=boot.ipxe; ISC: filename "
                 "\"boot.ipxe\")";
}

// No filename, no servers to discover and no menu of them: a firmware's PXE takes no such offer (PXE
// specification 2.1, 2.2.2), and says "No valid offer received".
bool names_nothing(const DhcpTalk& dhcp) {
    return !dhcp.own && std::all_of(dhcp.offers.begin(), dhcp.offers.end(), [](const Offer& offer) {
        return offer.message.bootfile.empty() && !offer.proxy();
    });
}

bool is_refused(const DhcpTalk& dhcp) {
    return dhcp.declined || !dhcp.naks.empty();
}

// Of a NAK and a DECLINE the later one.
Verdict refused(const DhcpTalk& dhcp) {
    if (dhcp.naks.empty() || (dhcp.declined && dhcp.declined->at > dhcp.naks.back().at)) {
        const Address& address = dhcp.declined->address;
        return told("declined", "",
                    address.is_zero() ? "it found it to be in use already"
                                      : to_string(address) + " is in use already",
                    "another machine has this address: look at the DHCP server's pool");
    }
    const Offer& nak = dhcp.naks.back();
    return told("dhcp-nak", "",
                fmt::format("{} sent a NAK{}", to_string(nak.sender),
                            nak.message.message.empty() ? "" : ": " + nak.message.message),
                "look at that server's log and its pool of addresses");
}

}  // namespace

Verdict no_link(const Scene& scene) {
    const DhcpTalk* dhcp = scene.talk();
    if (!scene.boot.link_down || scene.boot.other_frames > 0 || probe_was_answered(scene) ||
        scene.boot.reached_or_passed(Stage::offer) || (dhcp != nullptr && !dhcp->offers.empty())) {
        return std::nullopt;
    }
    return told("no-link", "", scene.with_complaint("iPXE says that the link is down"), path_hint(scene));
}

Verdict no_offer(const Scene& scene) {
    const DhcpTalk* dhcp = scene.talk();
    if (dhcp == nullptr) {
        return no_discover(scene);
    }
    if (!dhcp->offers.empty() || dhcp->ack || is_refused(*dhcp) || scene.is_past(*dhcp)) {
        return std::nullopt;
    }
    std::string why = unanswered(*dhcp);
    if (const std::string around = surroundings(scene); !around.empty()) {
        why += "; " + around;
    }
    if (auto verdict = offer_to_probe(scene, *dhcp, why)) {
        return verdict;
    }
    if (auto verdict = ipv6_only(scene, *dhcp)) {
        return verdict;
    }
    if (const Probe* probe = probe_beside(scene, *dhcp)) {
        why += fmt::format("; {} vm-launch's own probe, sent {} time{} from {:.1f} s on",
                           probe->offers.empty() ? "nor did one answer" : "only ProxyDHCP answered",
                           probe->sent, probe->sent == 1 ? "" : "s", probe->began);
    }
    return told("no-offer", "", why, path_hint(scene));
}

namespace {

Verdict by_proxy_alone(const Scene& scene, const DhcpTalk& dhcp) {
    const std::string by = to_string(dhcp.offers.front().sender);
    if (auto verdict = offer_to_probe(
            scene, dhcp, fmt::format("only a ProxyDHCP server answered {}: {}", name_of(dhcp.client), by))) {
        return verdict;
    }
    return told("proxy-alone", "", "only a ProxyDHCP server answered: " + by,
                "the network needs a DHCP server beside it");
}

}  // namespace

Verdict no_address(const Scene& scene) {
    const DhcpTalk* dhcp = scene.talk();
    if (dhcp == nullptr || dhcp->ack || scene.is_past(*dhcp)) {
        return std::nullopt;
    }
    if (is_refused(*dhcp)) {
        return refused(*dhcp);
    }
    if (std::all_of(dhcp->offers.begin(), dhcp->offers.end(),
                    [](const Offer& offer) { return offer.proxy(); })) {
        return dhcp->offers.empty() ? std::nullopt : by_proxy_alone(scene, *dhcp);
    }
    const Offer& offer = *std::find_if(dhcp->offers.begin(), dhcp->offers.end(),
                                       [](const Offer& candidate) { return !candidate.proxy(); });
    const std::string offered =
        fmt::format("{} offered {}", to_string(offer.sender), to_string(offer.message.yours));
    if (dhcp->requests == 0 && dhcp->client == Client::firmware && names_nothing(*dhcp)) {
        return told("offer-without-file", "",
                    offered + " without a filename (option 67), which firmware's PXE does not take",
                    file_hint(scene));
    }
    if (dhcp->requests == 0) {
        return told("offer-not-taken", "", offered,
                    "does the offer lack what the client needs? The report lists its options");
    }
    return told("no-ack", "", fmt::format("{}; {} requests went unanswered", offered, dhcp->requests),
                "look at that server's log");
}

Verdict no_file(const Scene& scene) {
    const DhcpTalk* dhcp = scene.talk();
    if (dhcp == nullptr || !dhcp->ack || scene.is_past(*dhcp)) {
        return std::nullopt;
    }
    if (dhcp->boot_server_requests > 0 && !dhcp->boot_server_answered) {
        return told("proxy-dead", to_string(dhcp->boot_server),
                    fmt::format("it was asked there {} times for the file to boot (PXE's boot server "
                                "discovery)",
                                dhcp->boot_server_requests),
                    "start its service on port 4011, or let the DHCP server name the file");
    }
    const std::string file = scene.named_file();
    if (!file.empty()) {
        return no_server(*dhcp, file);
    }
    if (!scene.boot.ipv6.bootfile.empty() || is_uboot(dhcp->vendor_class) ||
        !(scene.stopped() || scene.about.now)) {
        return std::nullopt;
    }
    const std::string words = fate_text(*dhcp);
    return told("no-file", "",
                scene.with_complaint(fmt::format(
                    "{} acknowledged {} without a filename (option 67){}", to_string(dhcp->ack->sender),
                    to_string(dhcp->ack->message.yours), words.empty() ? "" : "; " + words)),
                words.empty() ? file_hint(scene) : std::string{own_offer_hint(*dhcp)});
}

// U-Boot is often told to take an address alone, and boots by NFS or from a local disk then, whatever file
// DHCP named or did not.
Verdict address_alone(const Scene& scene) {
    const DhcpTalk* dhcp = scene.talk();
    if (dhcp == nullptr || !dhcp->ack || !is_uboot(dhcp->vendor_class) || scene.is_past(*dhcp) ||
        scene.last_fetch() != nullptr) {
        return std::nullopt;
    }
    return told("address-alone", "",
                fmt::format("U-Boot has {} from {}", to_string(dhcp->ack->message.yours),
                            to_string(dhcp->ack->sender)),
                "was it to fetch something? Its console says what it did; with autoload=no it takes an "
                "address alone");
}

}  // namespace vml::boot
