#include "capture/machines.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <variant>

namespace vml::capture {

namespace {

using boot::Client;
using boot::DhcpMessage;

bool is_group(const Mac& mac) {
    return (mac[0] & 1U) != 0;
}

// By which it may be told that a machine boots, where its DHCP is not in the capture.
bool asks_for_a_file(const boot::Packet& packet) {
    constexpr std::uint16_t tftp_port = 69;
    if (std::holds_alternative<boot::TftpRequest>(packet.body)) {
        return packet.to.port == tftp_port;
    }
    if (const auto* dhcp6 = std::get_if<boot::Dhcp6Message>(&packet.body)) {
        return dhcp6->boots || dhcp6->ipxe;
    }
    const auto* tcp = std::get_if<boot::TcpSegment>(&packet.body);
    return tcp != nullptr && (tcp->head.find("\r\nUser-Agent: iPXE/") != std::string_view::npos ||
                              tcp->head.find("\r\nUser-Agent: UefiHttpBoot/") != std::string_view::npos);
}

bool is_cut_dhcp(const boot::Packet& packet) {
    const auto among = [&](std::uint16_t port) { return packet.from.port == port || packet.to.port == port; };
    return std::holds_alternative<boot::OtherFrame>(packet.body) && among(67) && (among(68) || among(67));
}

// In a record of vm-launch's: a frame of the VM's other NIC, which has an interface of its own, or of another
// machine that has the NIC's address.
bool is_told_elsewhere(const std::set<Mac>& record_nics, const FrameNotes& notes, const Mac& source) {
    return notes.nic && (source == *notes.nic ? notes.inbound : record_nics.contains(source));
}

}  // namespace

// Servers name a file to everybody; where the client's own words are there, those count.
bool Machines::boots(const boot::DhcpMessage& message) {
    if (boot::client_of(message) != Client::other) {
        return true;
    }
    if (!message.from_server) {
        no_boot_clients_.insert(message.chaddr);
    }
    return message.from_server && !message.bootfile.empty() && !no_boot_clients_.contains(message.chaddr);
}

void Machines::frame(double at, LinkLayer link, Bytes captured, const FrameNotes& notes) {
    constexpr double disorder_s = 1;  // of frames that several processors or devices took
    at += counts_.clock_back;
    if (counts_.frames > 0 && at < counts_.ended - disorder_s) {
        counts_.clock_back += counts_.ended - at;
        at = counts_.ended;
    }
    counts_.began = counts_.frames == 0 ? at : std::min(counts_.began, at);
    counts_.ended = std::max(counts_.ended, at);
    ++counts_.frames;
    if (notes.nic && notes.after_reset) {
        for (Place& place : places_.all()) {
            place.reset = true;
        }
    }
    if (notes.nic) {
        kept_.record_nics.insert(*notes.nic);
    }
    if (notes.sender == FrameNotes::Sender::own_help) {
        ++counts_.own_help;
        return;
    }
    const auto frame = as_ethernet(link, captured);
    auto decoded = frame ? boot::decode_frame(bytes_of(frame->bytes)) : std::nullopt;
    if (!decoded) {
        ++counts_.unread;
    } else if (is_told_elsewhere(kept_.record_nics, notes, decoded->source) ||
               (!notes.nic && copies_.is_copy(at, bytes_of(frame->bytes)))) {
        ++counts_.repeated;
    } else {
        decoded->ours = notes.sender == FrameNotes::Sender::own_offer;
        packet(at, frame->vlans, *decoded);
    }
}

Place* Machines::machine_of(const Mac& mac, const boot::Address& address) const {
    Place* const lease = places_.at(address);
    // A router's address says nothing of whose frame it is, also where the router is a machine here.
    if (lease != nullptr && !lease->machine.relays().empty()) {
        return lease;
    }
    Place* const own = places_.of(mac);
    return own != nullptr || claims_.has(address, mac) ? own : lease;
}

Place* Machines::place_of(const Mac& mac, bool boots) {
    Place* place = places_.of(mac);
    if (place != nullptr || !boots || is_group(mac) || mac == Mac{}) {
        return place;
    }
    const bool is_kept = kept_.has(mac);
    if (is_kept) {
        place = places_.add(mac);
        if (Place* const silent = place == nullptr ? places_.silent(nullptr) : nullptr; silent != nullptr) {
            give_way(*silent);
            place = places_.add(mac);
        }
    }
    if (place == nullptr) {
        counts_.left_out += is_kept ? 1U : 0U;
        if (other_machines_.size() < most_hosts) {
            other_machines_.insert(mac);
        }
    }
    return place;
}

void Machines::give_way(Place& place) {
    Happening& last = happenings_.emplace_back(Happening{place.machine.mac(), counts_.ended, {}, true});
    last.step.over = place.machine.running_boot();
    places_.remove(place);
    ++counts_.gave_way;
}

void Machines::hand(Place& place, double at, std::uint16_t vlan, bool from_machine,
                    const boot::Packet& packet) {
    constexpr std::size_t most_vlans = 8;
    if (place.reset && !from_machine) {
        return;  // it was on its way to the boot before
    }
    if (place.vlans.size() < most_vlans) {
        place.vlans.insert(vlan);
    }
    const Begins another_boot = std::exchange(place.reset, false) ? Begins::yes
                                : kept_.record_nics.empty()       ? Begins::as_guessed
                                                                  : Begins::no;
    Step step = place.machine.see(at, from_machine, packet, another_boot);
    if (!room_.silent_give_way) {
        return;
    }
    if (step.begins || !step.marks.empty()) {
        happenings_.push_back({place.machine.mac(), at, std::move(step)});
    }
    if (std::holds_alternative<boot::RouterAdvertisement>(packet.body)) {
        return;  // routers do not mean it
    }
    places_.heard(place);
    while (!places_.fits(place)) {
        Place* const silent = places_.silent(&place);
        if (silent == nullptr) {
            break;
        }
        give_way(*silent);
    }
}

void Machines::dhcp(double at, std::uint16_t vlan, const boot::Packet& packet,
                    const boot::DhcpMessage& message) {
    if (probes_.takes(message)) {
        ++counts_.probe;
        return;
    }
    const bool leased = message.kind == boot::DhcpKind::ack;
    if (Place* const place = place_of(message.chaddr, boots(message))) {
        if (leased) {
            places_.note_address(*place, message.yours);
        } else if (message.kind == boot::DhcpKind::decline) {
            places_.give_back(*place, message.requested);
        } else if (message.kind == boot::DhcpKind::release) {
            places_.give_back(*place, packet.from.address);
        }
        hand(*place, at, vlan, !message.from_server, packet);
        return;
    }
    if (leased) {
        places_.forget(message.yours);
    }
    counts_.dhcp += other_machines_.contains(message.chaddr) ? 0U : 1U;
}

void Machines::packet(double at, const std::vector<std::uint16_t>& vlans, const boot::Packet& packet) {
    const std::uint16_t vlan = vlans.empty() ? std::uint16_t{0} : vlans.back();
    counts_.more_hosts = hosts_.size() >= most_hosts;
    if (!counts_.more_hosts && !packet.ours) {
        hosts_.insert(packet.source);
    }
    counts_.cut_dhcp += is_cut_dhcp(packet) ? 1U : 0U;
    if (const auto* message = std::get_if<DhcpMessage>(&packet.body)) {
        dhcp(at, vlan, packet, *message);
        return;
    }
    if (const auto* arp = std::get_if<boot::ArpMessage>(&packet.body); arp != nullptr && !arp->request) {
        claims_.add(arp->sender, packet.source);
    }
    Place* sender = machine_of(packet.source, packet.from.address);
    if (sender == nullptr && asks_for_a_file(packet)) {
        sender = place_of(packet.source, true);
    }
    if (sender != nullptr) {
        // A cooked capture does not tell the receiver's MAC. Not where the address itself told the sender.
        if (places_.of(packet.source) == sender) {
            places_.note_address(*sender, packet.from.address);
        }
        hand(*sender, at, vlan, true, packet);
    }
    if (Place* const receiver = machine_of(packet.target, packet.to.address);
        receiver != nullptr && receiver != sender) {
        hand(*receiver, at, vlan, false, packet);
    }
    if (std::holds_alternative<boot::RouterAdvertisement>(packet.body) && is_group(packet.target)) {
        for (Place& place : places_.all()) {
            if (&place != sender && place.vlans.contains(vlan)) {
                hand(place, at, vlan, false, packet);
            }
        }
    }
}

std::vector<FoundMachine> Machines::found() {
    std::vector<FoundMachine> all;
    all.reserve(places_.all().size());
    for (Place& place : places_.all()) {
        Machine& machine = place.machine;
        std::vector<CapturedBoot> boots = machine.boots(counts_.ended);
        all.push_back({machine.mac(),
                       {place.vlans.begin(), place.vlans.end()},
                       machine.arch(),
                       machine.relays(),
                       std::move(boots),
                       machine.left_out()});
    }
    return all;
}

std::size_t Machines::other_hosts() const {
    return static_cast<std::size_t>(std::count_if(hosts_.begin(), hosts_.end(), [&](const Mac& mac) {
        return places_.of(mac) == nullptr && !other_machines_.contains(mac);
    }));
}

}  // namespace vml::capture
