// The verdict on a boot that a capture shows. The rules are those of a VM's boot so far as packets alone are
// their evidence; what happens after the last packet is unknown.
#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "bootwatch/progress.h"
#include "bootwatch/timeline.h"
#include "bootwatch/verdict_scene.h"

namespace vml::boot {

namespace {

// Retransmissions of DHCP, TFTP and TCP come sooner: a question that is older is not answered any more.
constexpr double settled_s = 5;

bool is_kernel_or_program(const Fetch& fetch) {
    return fetch.state == FetchState::done &&
           (fetch.content == Content::x86_kernel || fetch.content == Content::aarch64_kernel ||
            may_be_program(fetch));
}

bool was_given_a_program(const Boot& boot) {
    return std::any_of(boot.fetches.begin(), boot.fetches.end(), is_kernel_or_program);
}

// By what a system was heard (timeline_wire.cpp).
std::string_view system_speaks(const Boot& boot) {
    const bool by_dhcp = std::any_of(boot.dhcp.begin(), boot.dhcp.end(),
                                     [](const DhcpTalk& talk) { return talk.client == Client::other; });
    return by_dhcp ? "DHCP" : "HTTP";
}

// Not where an operating system may have come from a disk, after a network boot that failed.
Verdict booted(const Scene& scene) {
    const Boot& boot = scene.boot;
    const auto at = boot.time_of(Stage::kernel);
    if (!at || !was_given_a_program(boot)) {
        return std::nullopt;
    }
    const std::string_view protocol = system_speaks(boot);
    return told("booted", protocol,
                fmt::format("its {} client was heard at {:.1f} s{}", protocol, *at, scene.notes()), "");
}

Verdict one_direction(const Scene& scene, const CaptureView& view) {
    constexpr std::string_view hint =
        "capture where both directions pass: on the boot server or the machine's own link, or let the mirror "
        "port copy both";
    if (view.from_machine == 0 && view.to_machine > 0) {
        const std::string said =
            view.unasked.empty() ? ""
                                 : fmt::format("; DHCP answered from {}", to_string(view.unasked[0].sender));
        return told("one-direction", "what the machine sent",
                    fmt::format("{} went to the machine, and none of its own is there{}",
                                counted(view.to_machine, "frame"), said),
                    std::string{hint});
    }
    const DhcpTalk* dhcp = scene.talk();
    if (view.unseen_server && dhcp != nullptr && !dhcp->ack && !scene.is_past(*dhcp)) {
        return told("one-direction",
                    fmt::format("what the DHCP server {} answered", to_string(*view.unseen_server)),
                    "the machine took an offer of that server, and none was seen", std::string{hint});
    }
    const bool nothing_came = std::all_of(scene.boot.fetches.begin(), scene.boot.fetches.end(),
                                          [](const Fetch& fetch) { return fetch.received == 0; });
    if (!view.answers_unseen || !nothing_came) {
        return std::nullopt;
    }
    return told("one-direction", "what the machine was answered",
                "the machine went on as if it had been answered, and no answer was seen", std::string{hint});
}

std::string amount_of(const Fetch& fetch) {
    return fmt::format("{}{} came", size_text(fetch.received),
                       fetch.expected ? " of " + size_text(*fetch.expected) : "");
}

constexpr std::string_view is_the_way_there =
    "does the way to that server pass where the capture was made? If it does, the machine did not ask: its "
    "screen may say why";
constexpr std::string_view for_longer = "capture for longer to see what comes of it";

// A client that declined its address, or was refused it, looks for another one, which is no failure so far.
double latest_of_dhcp(const DhcpTalk& dhcp) {
    double latest = std::max({dhcp.ack ? dhcp.ack->at : dhcp.began, dhcp.began_again.value_or(dhcp.began),
                              dhcp.declined ? dhcp.declined->at : dhcp.began});
    for (const auto* offers : {&dhcp.offers, &dhcp.naks}) {
        for (const Offer& offer : *offers) {
            latest = std::max(latest, offer.at);
        }
    }
    return latest;
}

// Of a client that may still be answered.
Verdict dhcp_goes_on(const Scene& scene, const CaptureView& view) {
    const DhcpTalk* dhcp = scene.talk();
    if (dhcp == nullptr || scene.is_past(*dhcp)) {
        return std::nullopt;
    }
    const bool asked_again = dhcp->discovers > 1 && dhcp->offers.empty();
    const bool refused = dhcp->naks.size() + dhcp->declines > 0;
    const bool refused_again = !dhcp->ack && dhcp->naks.size() + dhcp->declines > 1;
    if (asked_again || refused_again || view.ended - latest_of_dhcp(*dhcp) >= settled_s) {
        return std::nullopt;
    }
    return told("capture-ends",
                dhcp->ack               ? "when the machine has its address"
                : refused               ? "when the machine looks for another address"
                : !dhcp->offers.empty() ? "when the machine has an offer"
                                        : "when the machine has asked for an address",
                seen_last(scene.boot), std::string{for_longer});
}

// It asked for nothing since, and no DHCPv4 server at all.
bool is_of_ipv6_alone(const Scene& scene) {
    return scene.boot.ipv6.solicited_at && scene.talk() == nullptr && scene.last_fetch() == nullptr;
}

// Nothing had failed when the capture ended.
Verdict capture_ends(const Scene& scene, const CaptureView& view) {
    const Fetch* fetch = scene.last_fetch();
    const double patience = fetch != nullptr && awaits_answer(*fetch) ? answer_due_s : settled_s;
    const bool asked_again = fetch != nullptr && fetch->repeats > 0 && fetch->received == 0;
    if (fetch != nullptr && !fetch->ended && !asked_again && view.ended - fetch->latest < patience) {
        return told("capture-ends", fmt::format("while {} is fetched", fetch->url), amount_of(*fetch),
                    std::string{for_longer});
    }
    const auto& lookups = scene.boot.lookups;
    if (!lookups.empty() && !lookups.back().answered && view.ended - lookups.back().at < settled_s) {
        return told("capture-ends", fmt::format("while DNS is asked for {}", lookups.back().name), "",
                    std::string{for_longer});
    }
    const Ipv6Story& story = scene.boot.ipv6;
    if (is_of_ipv6_alone(scene) && view.ended - story.answered_at.value_or(*story.solicited_at) < settled_s) {
        return told("capture-ends", "when the machine has asked for an address", seen_last(scene.boot),
                    std::string{for_longer});
    }
    return dhcp_goes_on(scene, view);
}

Verdict no_boot_by_ipv6(const Scene& scene) {
    if (!is_of_ipv6_alone(scene)) {
        return std::nullopt;
    }
    const Ipv6Story& story = scene.boot.ipv6;
    if (!story.answered_at) {
        return told("no-offer-6", "",
                    fmt::format("the machine asked DHCPv6 alone, from {:.1f} s on{}", *story.solicited_at,
                                story.router ? fmt::format("; the router {} advertised itself",
                                                           to_string(*story.router))
                                             : "; no router advertised itself"),
                    "is a DHCPv6 server on this network or VLAN, or a relay to it? Where the capture was "
                    "made, its answers must pass");
    }
    const std::string server = to_string(story.server);
    if (story.bootfile.empty()) {
        return told("no-file-6", "", fmt::format("DHCPv6 by {} named no file (option 59)", server),
                    "set the boot file on the DHCPv6 server (dnsmasq: dhcp-option=option6:bootfile-url,URL)");
    }
    return told("not-asked", story.bootfile, fmt::format("DHCPv6 by {} named it", server),
                std::string{is_the_way_there});
}

bool is_cut(const DhcpTalk& dhcp) {
    return (dhcp.ack && dhcp.ack->message.cut) ||
           std::any_of(dhcp.offers.begin(), dhcp.offers.end(),
                       [](const Offer& offer) { return offer.message.cut; });
}

Verdict cut_frames(const Scene& scene) {
    const DhcpTalk* dhcp = scene.talk();
    if (dhcp == nullptr || !is_cut(*dhcp) || !scene.named_file().empty() || scene.is_past(*dhcp)) {
        return std::nullopt;
    }
    return told("cut-frames", "", "of the DHCP server's answer the beginning alone was seen",
                "capture whole frames: tcpdump -s 0");
}

// A file was named, and asked for nowhere.
Verdict not_asked(const Scene& scene) {
    const DhcpTalk* dhcp = scene.talk();
    if (dhcp == nullptr || !dhcp->ack || scene.is_past(*dhcp) || scene.last_fetch() != nullptr) {
        return std::nullopt;
    }
    const std::string file = scene.named_file();
    const Address& server = dhcp->ack->message.next_server;
    return file.empty() ? std::nullopt
                        : Verdict{told("not-asked", file,
                                       fmt::format("DHCP named it{}, and the machine has {}",
                                                   server.is_zero() ? "" : " on " + to_string(server),
                                                   to_string(dhcp->ack->message.yours)),
                                       std::string{is_the_way_there})};
}

// What a client's architecture (option 93; IANA, Processor Architecture Types) can start.
bool is_for(std::uint16_t arch, Content content) {
    enum : std::uint16_t {
        bios = 0,
        ia32 = 6,
        bytecode = 7,
        x64 = 9,
        arm64 = 11,
        x64_http = 16,
        arm64_http = 19
    };
    switch (content) {
        case Content::efi_x86_64:
            return arch != bios && arch != ia32 && arch != arm64 && arch != arm64_http;
        case Content::efi_i386:
            return arch != bios && arch != bytecode && arch != x64 && arch != arm64 && arch != x64_http &&
                   arch != arm64_http;
        case Content::efi_aarch64:
            return arch != bios && arch != ia32 && arch != bytecode && arch != x64 && arch != x64_http;
        case Content::html:
        case Content::text:
        case Content::ipxe_script:
        case Content::archive:
            return false;
        default:
            return true;
    }
}

// The firmware itself fetched it, and asked for nothing since.
Verdict wrong_program(const Scene& scene) {
    const DhcpTalk* dhcp = scene.talk();
    const Fetch* fetch = scene.last_fetch();
    if (dhcp == nullptr || fetch == nullptr || dhcp->client != Client::firmware || !dhcp->client_arch ||
        is_uboot(dhcp->vendor_class) || scene.boot.ipxe || fetch->state != FetchState::done ||
        scene.asked_by_a_program(*fetch) || fetch->began < dhcp->began ||
        is_for(*dhcp->client_arch, fetch->content)) {
        return std::nullopt;
    }
    return told(
        "wrong-program", fetch->url,
        fmt::format("it is {}, and the machine asked for a program for architecture {} (option 93; 0 is "
                    "BIOS, 7 is UEFI on x86_64)",
                    describe(fetch->content), *dhcp->client_arch),
        "let the DHCP server choose the file by option 93 (dnsmasq: dhcp-match=set:efi,option:client-arch,7 "
        "and dhcp-boot=tag:efi,FILE)");
}

Verdict delivered(const Scene& scene) {
    const Fetch* fetch = scene.last_fetch();
    if (fetch == nullptr || fetch->state != FetchState::done) {
        return std::nullopt;
    }
    return told("delivered", "",
                fmt::format("the last of it was {}, at {:.1f} s{}", fetch->url,
                            fetch->ended.value_or(fetch->latest), scene.notes()),
                "frames do not show what became of it: the machine's screen or serial console tells");
}

// What followed is another story: a disk, mostly.
Fault with_system(Fault fault, const Boot& boot) {
    if (const auto at = boot.time_of(Stage::kernel); at && fault.code != ExitCode::ok) {
        fault.why += fmt::format("{}at {:.1f} s an operating system spoke {}, from a disk perhaps",
                                 fault.why.empty() ? "" : "; ", *at, system_speaks(boot));
    }
    return fault;
}

using Rule = Verdict (*)(const Scene& scene);
constexpr std::array by_packets{no_boot_by_ipv6, no_offer,      no_address, unknown_name, nobody_there,
                                address_alone,   cut_frames,    no_file,    fetch_failed, not_asked,
                                no_magic,        wrong_program, delivered};
constexpr unsigned too_many_rounds = 3;

Fault by_rules(const Scene& scene) {
    for (const Rule rule : by_packets) {
        if (auto verdict = rule(scene)) {
            return *verdict;
        }
    }
    return told("stalled", "", seen_last(scene.boot), "what the machine did since was not seen");
}

bool is_in_a_script(const Boot& boot, const std::string& name) {
    return std::any_of(boot.fetches.begin(), boot.fetches.end(),
                       [&](const Fetch& fetch) { return fetch.text.find(name) != std::string::npos; });
}

// The boot up to where its kernel and what followed that at once were there; nothing where they were not.
// What fails later is the system's: a name or host that no script of the boot names, or a fetch after a long
// silence.
std::optional<Boot> without_system(const Scene& scene) {
    constexpr double long_silence_s = 120;
    const Fetch* kernel = scene.kernel();
    if (kernel == nullptr) {
        return std::nullopt;
    }
    Boot boot = scene.boot;
    double end = kernel->ended.value_or(kernel->latest);
    auto fetch = std::next(boot.fetches.begin(), std::distance(scene.boot.fetches.data(), kernel));
    for (; fetch != boot.fetches.end() && fetch->began - end <= long_silence_s; ++fetch) {
        end = std::max(end, fetch->ended.value_or(fetch->latest));
    }
    boot.fetches.erase(fetch, boot.fetches.end());
    const auto is_later = [&](double at, const std::string& name) {
        return at > end + settled_s && !is_in_a_script(scene.boot, name);
    };
    std::erase_if(boot.lookups, [&](const Lookup& lookup) { return is_later(lookup.at, lookup.name); });
    std::erase_if(boot.unanswered,
                  [&](const Unanswered& asked) { return is_later(asked.at, to_string(asked.address)); });
    return boot;
}

}  // namespace

Fault judge_captured(const Boot& boot, const CaptureView& view) {
    Circumstances about;
    about.network = Network::elsewhere;
    about.now = view.ended;
    const Scene scene{boot, about};
    if (auto verdict = booted(scene)) {
        return *verdict;
    }
    if (auto verdict = one_direction(scene, view)) {
        return *verdict;
    }
    if (boot.chain_rounds >= too_many_rounds) {
        return judge_chain(boot);
    }
    if (auto verdict = capture_ends(scene, view)) {
        return *verdict;
    }
    const Fault fault = by_rules(scene);
    const auto delivered_boot = fault.code == ExitCode::ok ? std::nullopt : without_system(scene);
    if (delivered_boot) {
        Fault before = by_rules(Scene{*delivered_boot, about});
        if (before.code == ExitCode::ok) {
            before.why += "; afterwards " + fault.what;
            return before;
        }
    }
    return with_system(fault, boot);
}

}  // namespace vml::boot
