#include "capture/machine.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>
#include <variant>

#include "bootwatch/bounds.h"
#include "bootwatch/weight.h"

namespace vml::capture {

namespace {

using boot::Client;
using boot::DhcpKind;
using boot::DhcpMessage;

void lighten_all(std::vector<CapturedBoot>& boots, std::size_t most) {
    std::vector<boot::Boot> records;
    records.reserve(boots.size());
    for (CapturedBoot& each : boots) {
        records.push_back(std::move(each.record));
    }
    lighten(records, most);
    for (std::size_t i = 0; i < boots.size(); ++i) {
        boots[i].record = std::move(records[i]);
    }
}

// Healthy: a boot whose lost frames had the rest of a file.
Fault uncertain(const Fault& verdict) {
    return {
        "unknown: not all frames of this boot were seen",
        "in what was seen of it: " + verdict.what + (verdict.why.empty() ? "" : "; " + verdict.why),
        "frames came faster than they were taken, on a machine that is busy perhaps, or the interface was "
        "down",
        ExitCode::boot_timeout};
}

bool is_asking(const DhcpMessage& message) {
    return !message.from_server && (message.kind == DhcpKind::discover || message.kind == DhcpKind::bootp);
}

// What was fetched last may be the program that speaks now.
bool has_loaded_a_program(const std::vector<boot::Fetch>& fetches) {
    const auto latest =
        boot::latest_of(fetches, [](const boot::Fetch& fetch) { return !boot::is_probe(fetch); });
    return latest && fetches[*latest].state == boot::FetchState::done &&
           boot::may_be_program(fetches[*latest]);
}

// As each boot by an iPXE in ROM does that starts with one.
bool begins_with_a_script(const std::vector<boot::Fetch>& fetches) {
    const auto first = std::find_if(fetches.begin(), fetches.end(), [](const boot::Fetch& fetch) {
        return !fetch.bare && !boot::is_probe(fetch);
    });
    return first != fetches.end() && first->content == boot::Content::ipxe_script;
}

bool is_for_all(const Mac& mac) {
    return (mac[0] & 1U) != 0;
}

// Of IPv4.
std::uint64_t number_of(const boot::Address& address) {
    constexpr std::uint64_t byte = 256;
    return std::accumulate(address.bytes.begin(), std::next(address.bytes.begin(), 4), std::uint64_t{0},
                           [](std::uint64_t sum, std::uint8_t digit) { return sum * byte + digit; });
}

std::optional<Client> looking_for_a_server(bool from_machine, const boot::Packet& packet) {
    constexpr std::uint8_t solicit = 1;
    if (const auto* dhcp = std::get_if<DhcpMessage>(&packet.body); dhcp != nullptr && is_asking(*dhcp)) {
        return boot::client_of(*dhcp);
    }
    if (const auto* dhcp6 = std::get_if<boot::Dhcp6Message>(&packet.body);
        dhcp6 != nullptr && from_machine && dhcp6->kind == solicit) {
        return dhcp6->ipxe ? Client::ipxe : dhcp6->boots ? Client::firmware : Client::other;
    }
    return std::nullopt;
}

bool has_offer_of(const boot::DhcpTalk& talk, const boot::Address& server) {
    return std::any_of(talk.offers.begin(), talk.offers.end(), [&](const boot::Offer& offer) {
        return offer.message.server_id == server || offer.sender == server;
    });
}

bool is_repeat(std::vector<SeenDhcp>& seen, double at, const DhcpMessage& message) {
    constexpr double at_once_s = 0.2;  // no client and no server says the same again so soon
    constexpr std::size_t most = 8;
    const std::array<std::uint64_t, 5> what{message.from_server ? 1U : 0U,
                                            static_cast<std::uint64_t>(message.kind), message.xid,
                                            number_of(message.yours), number_of(message.server_id)};
    const bool known = std::any_of(seen.begin(), seen.end(), [&](const SeenDhcp& each) {
        return each.what == what && at - each.at < at_once_s;
    });
    seen.push_back({at, what});
    if (seen.size() > most) {
        seen.erase(seen.begin());
    }
    return known;
}

// Where a capture has a machine's broadcasts, it need not have what others answer to the machine alone: that
// nobody did is told by its asking again. A question of no address of its own is whether another has it.
bool shows_nothing(std::vector<std::pair<boot::Address, double>>& asked, double at, bool from_machine,
                   const boot::ArpMessage& message) {
    constexpr double soon_s = 10;
    constexpr double at_once_s = 0.2;  // who asks again waits for longer: else it is a copy
    constexpr std::size_t most = 16;
    if (!from_machine || !message.request) {
        return false;
    }
    const bool again = std::any_of(asked.begin(), asked.end(), [&](const auto& each) {
        return each.first == message.target && at - each.second >= at_once_s && at - each.second < soon_s;
    });
    asked.emplace_back(message.target, at);
    if (asked.size() > most) {
        asked.erase(asked.begin());
    }
    return !again || message.sender.is_zero();
}

// Which directions does the capture have?
void look_at_direction(boot::CaptureView& view, bool from_machine, const boot::Packet& packet) {
    const bool to_all = is_for_all(packet.target) && !std::holds_alternative<DhcpMessage>(packet.body);
    view.from_machine += from_machine ? 1U : 0U;
    view.to_machine += !from_machine && !to_all ? 1U : 0U;
    if (const auto* ack = std::get_if<boot::TftpAck>(&packet.body)) {
        view.answers_unseen = view.answers_unseen || (from_machine && ack->block > 0 && view.to_machine == 0);
    } else if (const auto* tcp = std::get_if<boot::TcpSegment>(&packet.body)) {
        view.answers_unseen = view.answers_unseen ||
                              (from_machine && tcp->ack && !tcp->syn && !tcp->rst && view.to_machine == 0);
    }
}

}  // namespace

bool begins_another_boot(std::optional<Client> latest, Client client, double idle_s,
                         const std::vector<boot::Fetch>& fetches) {
    constexpr double long_pause_s = 120;  // DHCP's longest wait is 32 s, and menus end before
    constexpr double start_s = 20;  // an iPXE that was fetched asks before, also where it waits for the link
    const bool came_further =
        std::any_of(fetches.begin(), fetches.end(), [](const boot::Fetch& fetch) { return !fetch.bare; });
    if (client == Client::other) {
        return false;
    }
    if (idle_s > long_pause_s || latest == Client::other) {
        return true;
    }
    if (client == Client::firmware) {
        return latest == Client::ipxe || came_further;
    }
    const bool has_rebooted = latest == Client::ipxe && idle_s > start_s && begins_with_a_script(fetches);
    return latest != Client::firmware && came_further && (!has_loaded_a_program(fetches) || has_rebooted);
}

void judge(CapturedBoot& boot, double as_of) {
    boot.view.ended = std::max(as_of, boot.latest) - boot.began;
    boot.verdict = judge_captured(boot.record, boot.view);
    if (boot.gaps && boot.verdict.code != ExitCode::ok) {
        boot.verdict = uncertain(boot.verdict);
    }
}

Machine::Machine(const Mac& mac, KeptBoots kept) : mac_{mac}, kept_{kept} {}

Step Machine::begin_boot(double at) {
    Step step{.begins = true};
    if (timeline_) {
        step.over = running_boot();
        if (kept_.most > 0) {
            boot::add_bounded(ended_, *step.over, kept_.most, left_out_);
            lighten_all(ended_, kept_.weight);
        } else {
            ++left_out_;
        }
    }
    timeline_.emplace(std::vector<boot::WatchedNic>{{mac_text(mac_), mac_}}, boot::Subject::captured);
    current_ = {.began = at, .latest = at};
    latest_client_.reset();
    arp_asked_.clear();
    return step;
}

Glance Machine::glance() const {
    return {ended_.size() + left_out_ + 1, current_, timeline_->current_boot(), timeline_->fetches()};
}

// As far as it has come.
CapturedBoot Machine::running_boot() {
    CapturedBoot boot = current_;
    boot.record = timeline_->boot();
    boot.record.ended = boot.latest - boot.began;
    return boot;
}

std::size_t Machine::weight() {
    std::size_t sum = timeline_ ? weight_of(timeline_->boot()) : 0;
    for (const CapturedBoot& boot : ended_) {
        sum += weight_of(boot.record);
    }
    return sum;
}

Step Machine::see(double at, bool from_machine, boot::Packet packet, Begins another_boot) {
    if (timeline_) {
        at = std::max(at, current_.latest);
    }
    if (auto* dhcp = std::get_if<DhcpMessage>(&packet.body)) {
        constexpr std::size_t most_relays = 4;
        if (!dhcp->relay.is_zero() && relays_.size() < most_relays &&
            std::find(relays_.begin(), relays_.end(), dhcp->relay) == relays_.end()) {
            relays_.push_back(dhcp->relay);
        }
        if (is_repeat(seen_, at, *dhcp) && another_boot != Begins::yes) {
            return {};
        }
        // The relay's address is the sender's to the machine; who said it is in option 54.
        if (dhcp->from_server && !dhcp->relay.is_zero() && !dhcp->server_id.is_zero()) {
            packet.from.address = dhcp->server_id;
        }
        arch_ = dhcp->client_arch ? dhcp->client_arch : arch_;
    }
    const auto client = looking_for_a_server(from_machine, packet);
    const bool guessed =
        another_boot == Begins::as_guessed && timeline_ && client &&
        begins_another_boot(latest_client_, *client, at - current_.latest, timeline_->fetches());
    Step step;
    if (!timeline_ || another_boot == Begins::yes || guessed) {
        step = begin_boot(at);
    }
    if (const auto* arp = std::get_if<boot::ArpMessage>(&packet.body);
        arp != nullptr && shows_nothing(arp_asked_, at, from_machine, *arp)) {
        packet.body = boot::OtherFrame{};
    }
    if (!packet.ours) {
        look(at, from_machine, packet);
    }
    latest_client_ = client ? client : latest_client_;
    // Routers advertise themselves to whoever is there, also to a machine that is not there any more.
    current_.latest = std::holds_alternative<boot::RouterAdvertisement>(packet.body) ? current_.latest : at;
    // As on the machine's own link, wherever it was captured: behind a router it has the router's address.
    if (from_machine) {
        packet.source = mac_;
        current_.heard = at;
    } else if (!is_for_all(packet.target) || std::holds_alternative<DhcpMessage>(packet.body)) {
        packet.target = mac_;
    }
    step.marks = timeline_->packet(at - current_.began, 0, packet);
    return step;
}

std::vector<boot::Mark> Machine::passes(double at) {
    return timeline_->passes(std::max(at, current_.latest) - current_.began);
}

void Machine::look(double at, bool from_machine, const boot::Packet& packet) {
    look_at_direction(current_.view, from_machine, packet);
    const auto* dhcp = std::get_if<DhcpMessage>(&packet.body);
    if (dhcp == nullptr) {
        return;
    }
    const DhcpMessage& message = *dhcp;
    boot::CaptureView& view = current_.view;
    const auto& talks = timeline_->current_boot().dhcp;
    if (from_machine) {
        const bool after_firmware = latest_client_ == Client::firmware && client_of(message) == Client::ipxe;
        const bool was_offered =
            message.kind == DhcpKind::request && !talks.empty() && talks.back().discovers > 0;
        view.answers_unseen =
            view.answers_unseen || (view.to_machine == 0 && (after_firmware || was_offered));
        if (message.kind == DhcpKind::request && !message.server_id.is_zero() && !talks.empty() &&
            talks.back().discovers > 0) {
            view.unseen_server = has_offer_of(talks.back(), message.server_id)
                                     ? std::nullopt
                                     : std::optional{message.server_id};
        }
    } else if (talks.empty()) {
        std::uint64_t more = 0;
        boot::add_bounded(view.unasked, {at - current_.began, message, packet.from.address},
                          boot::most_offers, more);
    }
}

std::vector<CapturedBoot> Machine::boots(double capture_ended) {
    std::vector<CapturedBoot> all = ended_;
    if (timeline_) {
        all.push_back(running_boot());
    }
    for (CapturedBoot& boot : all) {
        judge(boot, capture_ended);
    }
    return all;
}

}  // namespace vml::capture
