#include "bootwatch/timeline.h"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

namespace vml::boot {

namespace {

constexpr std::size_t most_marks = 1000;
constexpr std::size_t most_texts = 100;
constexpr std::size_t most_boots = 100;

bool is_for_group(const Mac& mac) {
    return (mac[0] & 1U) != 0;
}

Client client_of(const DhcpMessage& message) {
    if (message.user_class.find("iPXE") != std::string::npos) {
        return Client::ipxe;
    }
    return message.vendor_class.starts_with("PXEClient") || message.vendor_class.starts_with("HTTPClient")
               ? Client::firmware
               : Client::other;
}

// GRUB's own DHCP client, and UEFI's for its shell, tell neither a class nor a host name; those of systems
// tell one of them at least (dhclient, systemd-networkd: option 12; udhcpc, dhcpcd, Linux's ipconfig,
// Windows: option 60).
bool is_of_a_system(const DhcpMessage& message) {
    constexpr std::uint8_t host_name = 12;
    return !message.vendor_class.empty() || message.has(host_name);
}

// A kernel that cannot go on to a system, be its own NIC driver up already (init/do_mounts.c, init/main.c).
bool is_without_root(std::string_view panic) {
    return panic.find("Unable to mount root fs") != std::string_view::npos ||
           panic.find("No working init found") != std::string_view::npos;
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

std::string failure_text(const Fetch& fetch) {
    switch (fetch.fault) {
        case FetchFault::refused:
            return "nobody listens there";
        case FetchFault::truncated:
            return fmt::format("the server broke off after {}{}", size_text(fetch.received),
                               fetch.expected ? " of " + size_text(*fetch.expected) : "");
        case FetchFault::given_up:
            return fmt::format("given up after {}", size_text(fetch.received));
        case FetchFault::tls_alert:
            return fmt::format("TLS failed: {}", fetch.words);
        default:
            return fetch.words.empty() ? std::string{name_of(fetch.fault)} : fetch.words;
    }
}

}  // namespace

std::string size_text(std::uint64_t bytes) {
    constexpr double kilo = 1000;
    const auto number = static_cast<double>(bytes);
    if (number < 10 * kilo) {
        return fmt::format("{} bytes", bytes);
    }
    return number < kilo * kilo ? fmt::format("{:.0f} kB", number / kilo)
                                : fmt::format("{:.1f} MB", number / kilo / kilo);
}

std::string describe(const Fetch& fetch) {
    if (fetch.state == FetchState::failed) {
        return fmt::format("{}: {}", fetch.url, failure_text(fetch));
    }
    if (!fetch.location.empty()) {
        return fmt::format("{}: sent on to {}", fetch.url, fetch.location);
    }
    const double took = fetch.ended.value_or(fetch.latest) - fetch.began;
    constexpr double worth_a_speed = 0.1;
    const std::string speed =
        took >= worth_a_speed ? fmt::format(", {}/s", size_text(static_cast<std::uint64_t>(speed_of(fetch))))
                              : "";
    const std::string kind =
        fetch.content == Content::unknown ? "" : fmt::format(" ({})", boot::describe(fetch.content));
    return fmt::format("{}: {} in {:.2f} s{}{}", fetch.url, size_text(fetch.received), took, speed, kind);
}

Timeline::Timeline(std::vector<WatchedNic> nics) : nics_{std::move(nics)} {}

std::vector<Mark> Timeline::news() {
    return std::exchange(news_, {});
}

void Timeline::mark(Stage stage, double at, Proof proof, std::string detail, bool proves) {
    // However much was told already, a stage that is new is told too.
    const bool new_stage = proves && !current().reached(stage);
    if (current().marks.size() < most_marks || new_stage) {
        current().marks.push_back({stage, at, proof, std::move(detail), proves});
        news_.push_back(current().marks.back());
    }
}

// An operating system is no more without its kernel.
void Timeline::system_runs(double at, Proof proof, const std::string& detail) {
    mark_once(Stage::kernel, at, proof, detail);
    mark_once(Stage::os, at, proof, detail);
}

void Timeline::mark_once(Stage stage, double at, Proof proof, std::string detail) {
    if (!current().reached(stage)) {
        mark(stage, at, proof, std::move(detail));
    }
}

void Timeline::turn(Turn turn, double at, std::string_view words) {
    current().turn = turn;
    current().turned_at = at;
    current().turn_words = std::string{words};
}

bool Timeline::runs_unknown() const {
    const auto& fetches = fetches_.all();
    const auto latest = std::find_if(fetches.rbegin(), fetches.rend(), [](const Fetch& fetch) {
        return !is_probe(fetch) && fetch.content != Content::archive;
    });
    const bool odd = latest != fetches.rend() && latest->state == FetchState::done &&
                     (latest->content == Content::unknown || latest->content == Content::html ||
                      latest->content == Content::text);
    return odd && !boots_.back().reached_or_passed(Stage::kernel) && boots_.back().turn == Turn::none;
}

const std::vector<Boot>& Timeline::boots() {
    current().fetches = fetches_.all();
    current().lookups = fetches_.lookups();
    return boots_;
}

std::vector<Mark> Timeline::started(double at) {
    current().began = at;
    mark(Stage::machine, at, Proof::qemu, "QEMU built the machine and runs it");
    return news();
}

std::vector<Mark> Timeline::event(double at, std::string_view name) {
    if (name == "NIC_RX_FILTER_CHANGED") {  // no firmware and no iPXE sets it
        system_runs(at, Proof::qemu, "the guest's own NIC driver is up");
    } else if (name == "RTC_CHANGE") {  // OVMF's early start; SeaBIOS leaves the clock alone
        mark_once(Stage::firmware, at, Proof::qemu, "UEFI set the clock");
    }
    return news();
}

std::vector<Mark> Timeline::agent_answered(double at) {
    system_runs(at, Proof::agent, "a program of it, its guest agent, answered");
    mark_once(Stage::agent, at, Proof::agent, "it answers");
    return news();
}

void Timeline::silence(double at) {
    turn(Turn::silent, at, "");
}

std::vector<Mark> Timeline::reset(double at) {
    if (!current().reached_or_passed(Stage::firmware)) {
        return {};
    }
    boots_.at(boots().size() - 1).ended = at;
    if (boots_.size() >= most_boots) {
        boots_.erase(boots_.begin());
    }
    boots_.push_back({.began = at});
    fetches_ = {};
    cut_line_.clear();
    mark(Stage::machine, at, Proof::qemu, "the guest rebooted");
    return news();
}

// ---- the console

std::vector<Mark> Timeline::line(double at, std::string_view line) {
    std::string whole = std::exchange(cut_line_, {});
    whole += line;
    if (is_cut_short(whole) && whole.size() == line.size()) {
        cut_line_ = whole;
        return {};
    }
    if (const auto mark = mark_in_line(whole)) {
        console(at, *mark);
    }
    return news();
}

void Timeline::firmware_complains(std::string_view line) {
    if (current().firmware_errors.size() < most_texts) {
        current().firmware_errors.emplace_back(line);
    }
}

// SeaBIOS src/optionroms.c and src/malloc.c: why it left an option ROM out.
std::vector<Mark> Timeline::firmware_line(double at, std::string_view line) {
    if (line.starts_with("SeaBIOS (version ")) {
        mark_once(Stage::firmware, at, Proof::firmware_log, "SeaBIOS speaks");
    }
    const bool left_out = line.find("option rom with bad checksum") != std::string_view::npos ||
                          line.find("Unable to allocate resource at copy_rom") != std::string_view::npos;
    if (left_out) {
        firmware_complains(line);
    }
    return news();
}

std::vector<Mark> Timeline::partial(double at, std::string_view line) {
    if (const auto mark = mark_in_partial(line)) {
        console(at, *mark);
    }
    return news();
}

void Timeline::console(double at, const ConsoleMark& seen) {
    switch (seen.sign) {
        case ConsoleSign::firmware:
            mark_once(Stage::firmware, at, Proof::console, seen.text);
            break;
        case ConsoleSign::firmware_client:
            mark_once(Stage::firmware, at, Proof::console, "UEFI");
            if (!std::exchange(current().firmware_client, true)) {
                mark(Stage::firmware, at, Proof::console,
                     fmt::format("the firmware's own network boot, not iPXE: {}", seen.text));
            }
            break;
        case ConsoleSign::firmware_failed:
            client_failed(at, seen.text);
            [[fallthrough]];
        case ConsoleSign::firmware_error:
            firmware_complains(seen.text);
            break;
        case ConsoleSign::next_device:
            turn(Turn::disk, at, seen.text);
            break;
        case ConsoleSign::no_bootable_device:
            if (current().turn != Turn::dead_end) {
                turn(Turn::dead_end, at, seen.text);
            }
            break;
        case ConsoleSign::firmware_shell:
            turn(Turn::uefi_shell, at, seen.text);
            break;
        case ConsoleSign::kernel:
            mark_once(Stage::kernel, at, Proof::console, seen.text);
            break;
        case ConsoleSign::panic:
            if (!current().reached(Stage::os) || is_without_root(seen.text)) {
                turn(Turn::panic, at, seen.text);
            }
            break;
        case ConsoleSign::efi_stub:
            stub_said(at, seen.text);
            break;
        case ConsoleSign::stub_error:
            mark(Stage::kernel, at, Proof::console, seen.text, false);
            current().stub_error = seen.text;
            break;
        case ConsoleSign::init:
            system_runs(at, Proof::console, fmt::format("Linux runs {}", seen.text));
            break;
        case ConsoleSign::login:
            system_runs(at, Proof::console, fmt::format("\"{}\"", seen.text));
            break;
        default:
            ipxe_said(at, seen);
            break;
    }
}

// Once: more of its lines show no more.
void Timeline::stub_said(double at, std::string_view words) {
    const auto& marks = current().marks;
    if (std::none_of(marks.begin(), marks.end(),
                     [](const Mark& old) { return old.stage == Stage::kernel; })) {
        mark(Stage::kernel, at, Proof::console, std::string{words}, false);
    }
}

// iPXE has returned, or the firmware's own client, which is the one that the VM was given: what it tries next
// takes a minute more, and finds nothing.
void Timeline::client_failed(double at, std::string_view words) {
    if (current().turn != Turn::none || !(current().ipxe || current().firmware_client)) {
        return;
    }
    turn(Turn::gave_up, at, words);
    if (current().ipxe) {
        current().left_ipxe_at = at;
    }
}

void Timeline::ipxe_said(double at, const ConsoleMark& seen) {
    const bool wire = !nics_.empty();
    switch (seen.sign) {
        case ConsoleSign::rom_found:
            current().rom_found = true;
            break;
        case ConsoleSign::ipxe_runs:
            if (!current().ipxe) {
                current().ipxe = seen.text;
                mark(Stage::option_rom, at, Proof::console, fmt::format("{} runs", seen.text));
            }
            break;
        case ConsoleSign::ipxe_link_up:
            current().link_down = false;
            mark_once(Stage::link, at, Proof::console, "up");
            break;
        case ConsoleSign::ipxe_link_down:
            current().link_down = current().other_frames == 0;
            break;
        case ConsoleSign::ipxe_address:
            if (!wire) {
                mark_once(Stage::address, at, Proof::console, fmt::format("address {}", seen.text));
            }
            break;
        case ConsoleSign::ipxe_fetched:
            if (!wire) {
                mark(Stage::fetch, at, Proof::console, fmt::format("{} fetched", seen.text));
            } else if (const auto index = fetches_.said_to_be_done(at, seen.text)) {
                fetched(at, *index);
            }
            break;
        case ConsoleSign::ipxe_script:
            mark_once(Stage::script, at, Proof::console, fmt::format("{} runs", seen.text));
            break;
        case ConsoleSign::ipxe_error:
            if (current().complaints.size() < most_texts) {
                current().complaints.push_back({at, seen.text, *seen.number});
            }
            break;
        case ConsoleSign::ipxe_shell:
            if (current().turn == Turn::none) {
                turn(Turn::shell, at, seen.text);
            }
            break;
        default:
            break;
    }
}

// ---- the wire

std::vector<Mark> Timeline::packet(double at, std::size_t nic, const Packet& packet) {
    const WatchedNic& watched = nics_.at(nic);
    const bool from_guest = packet.source == watched.mac;
    ++(from_guest ? current().guest_frames : current().other_frames);
    if (!from_guest && packet.target != watched.mac && !is_for_group(packet.target)) {
        return {};
    }
    if (from_guest) {
        mark_once(Stage::link, at, Proof::wire, "up");
    }
    if (const auto* message = std::get_if<DhcpMessage>(&packet.body)) {
        dhcp(at, nic, from_guest, packet, *message);
    } else if (const auto* message6 = std::get_if<ArpMessage>(&packet.body)) {
        arp(from_guest, *message6);
    } else if (const auto* message_v6 = std::get_if<Dhcp6Message>(&packet.body);
               message_v6 != nullptr && !from_guest) {
        dhcp6(at, packet, *message_v6);
    } else if (const auto* router = std::get_if<RouterAdvertisement>(&packet.body);
               router != nullptr && !from_guest) {
        current().router_at = current().router_at.value_or(at);
    } else if (std::holds_alternative<RouterSolicitation>(packet.body) && from_guest) {
        current().solicited_at = current().solicited_at.value_or(at);
    } else if (const auto index = fetches_.see(at, from_guest, packet)) {
        fetched(at, *index);
    }
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
        dhcp_from_guest(at, nic, message);
    } else if (!from_guest && message.from_server) {
        dhcp_from_server(at, nic, packet, message);
    }
}

void Timeline::dhcp_from_guest(double at, std::size_t nic, const DhcpMessage& message) {
    const Client client = client_of(message);
    DhcpTalk* talk = talk_of(nic);
    const bool begins = message.kind == DhcpKind::discover || message.kind == DhcpKind::bootp;
    if (talk == nullptr || talk->client != client || (begins && talk->ack)) {
        if (current().dhcp.size() >= most_texts) {
            return;
        }
        current().dhcp.push_back({client, nics_[nic].id, at});
        talk = &current().dhcp.back();
        talk->client_arch = message.client_arch;
        mark(Stage::discover, at, Proof::wire, fmt::format("{} looks for a server", title_of(client)));
    }
    talk->discovers += begins ? 1 : 0;
    talk->requests += message.kind == DhcpKind::request ? 1 : 0;
    talk->declines += message.kind == DhcpKind::decline ? 1 : 0;
    if (client == Client::ipxe && !current().ipxe) {
        current().ipxe = "iPXE";
        mark_once(Stage::option_rom, at, Proof::wire, "iPXE runs");
    } else if (client == Client::firmware) {
        current().firmware_client = true;
    } else if (client == Client::other && current().ipxe && is_of_a_system(message)) {
        mark_once(Stage::kernel, at, Proof::wire, "something else than iPXE speaks DHCP now");
    }
}

void Timeline::dhcp_from_server(double at, std::size_t nic, const Packet& packet,
                                const DhcpMessage& message) {
    DhcpTalk* talk = talk_of(nic);
    if (talk == nullptr) {
        return;
    }
    const Offer offer{at, message, packet.from.address};
    if (message.kind == DhcpKind::nak) {
        talk->naks.push_back(offer);
        return;
    }
    // A ProxyDHCP server may answer a request too, with another ACK; a server repeats its offer when asked
    // again.
    const bool acknowledges = message.kind == DhcpKind::ack && !offer.proxy();
    if (acknowledges) {
        if (!talk->ack) {
            talk->ack = offer;
            mark(Stage::address, at, Proof::wire,
                 fmt::format("address {} from {}{}", to_string(message.yours), to_string(offer.sender),
                             boot_file_text(message)));
        }
        return;
    }
    const bool known = std::any_of(talk->offers.begin(), talk->offers.end(),
                                   [&](const Offer& old) { return old.sender == offer.sender; });
    if (!known && talk->offers.size() < most_texts) {
        talk->offers.push_back(offer);
        mark(Stage::offer, at, Proof::wire, offer_text(offer));
    }
}

void Timeline::dhcp6(double at, const Packet& packet, const Dhcp6Message& message) {
    enum : std::uint8_t { advertise = 2, reply = 7 };
    if (message.kind != advertise && message.kind != reply) {
        return;
    }
    const std::string text =
        fmt::format("DHCPv6 by {}{}", to_string(packet.from.address),
                    message.bootfile_url.empty() ? "" : ", file " + message.bootfile_url);
    const auto& marks = current().marks;
    if (std::none_of(marks.begin(), marks.end(), [&](const Mark& mark) { return mark.detail == text; })) {
        mark(Stage::offer, at, Proof::wire, text);
    }
}

void Timeline::arp(bool from_guest, const ArpMessage& message) {
    auto& unanswered = current().unanswered;
    if (from_guest && message.request) {
        const bool known =
            std::find(unanswered.begin(), unanswered.end(), message.target) != unanswered.end();
        if (!known && message.target != message.sender && unanswered.size() < most_texts) {
            unanswered.push_back(message.target);
        }
    } else if (!from_guest && !message.request) {
        std::erase(unanswered, message.sender);
    }
}

void Timeline::fetched(double at, std::size_t index) {
    const Fetch& fetch = fetches_.all()[index];
    if (!fetch.ended || is_probe(fetch)) {
        return;
    }
    const bool whole = fetch.state == FetchState::done && fetch.location.empty();
    mark(Stage::fetch, at, Proof::wire, describe(fetch), whole);
    if (whole && fetch.content == Content::ipxe_script && current().ipxe) {
        mark(Stage::script, at, Proof::wire, fmt::format("{} runs", base_name(fetch.url)));
    }
}

}  // namespace vml::boot
