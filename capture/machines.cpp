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
bool Machines::boots(const DhcpMessage& message) {
    if (boot::client_of(message) != Client::other) {
        return true;
    }
    if (!message.from_server && no_boot_clients_.size() < most_hosts) {
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
        for (Place& place : places_) {
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

Machines::Index Machines::machine_of(const Mac& mac, const boot::Address& address) const {
    const Index leased = addresses_.machine_at(address);
    // A router's address says nothing of whose frame it is, also where the router is a machine here.
    const bool routed = leased && !places_[*leased].machine.relays().empty();
    if (routed) {
        return leased;
    }
    const auto known = by_mac_.find(mac);
    return known != by_mac_.end()                ? Index{known->second}
           : addresses_.is_claimed(address, mac) ? std::nullopt
                                                 : leased;
}

Machines::Index Machines::place_of(const Mac& mac, bool boots) {
    if (const auto known = by_mac_.find(mac); known != by_mac_.end()) {
        return known->second;
    }
    if (!boots || is_group(mac) || mac == Mac{}) {
        return std::nullopt;
    }
    const bool is_kept = kept_.has(mac);
    if (!is_kept || places_.size() >= most_machines) {
        counts_.left_out += is_kept ? 1U : 0U;
        if (other_machines_.size() < most_hosts) {
            other_machines_.insert(mac);
        }
        return std::nullopt;
    }
    places_.push_back({Machine{mac}});
    by_mac_.emplace(mac, places_.size() - 1);
    return places_.size() - 1;
}

void Machines::hand(std::size_t index, double at, std::uint16_t vlan, bool from_machine,
                    const boot::Packet& packet) {
    constexpr std::size_t most_vlans = 8;
    Place& place = places_[index];
    if (place.reset && !from_machine) {
        return;  // it was on its way to the boot before
    }
    if (place.vlans.size() < most_vlans) {
        place.vlans.insert(vlan);
    }
    const Begins another_boot = std::exchange(place.reset, false) ? Begins::yes
                                : kept_.record_nics.empty()       ? Begins::as_guessed
                                                                  : Begins::no;
    place.machine.see(at, from_machine, packet, another_boot);
}

void Machines::dhcp(double at, std::uint16_t vlan, const boot::Packet& packet, const DhcpMessage& message) {
    if (probes_.takes(message)) {
        ++counts_.probe;
        return;
    }
    const bool leased = message.kind == boot::DhcpKind::ack;
    if (const Index index = place_of(message.chaddr, boots(message))) {
        if (leased) {
            addresses_.give(message.yours, *index);
        } else if (message.kind == boot::DhcpKind::decline) {
            addresses_.give_back(message.requested, *index);
        } else if (message.kind == boot::DhcpKind::release) {
            addresses_.give_back(packet.from.address, *index);
        }
        hand(*index, at, vlan, !message.from_server, packet);
        return;
    }
    if (leased) {
        addresses_.forget(message.yours);
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
        addresses_.claim(arp->sender, packet.source);
    }
    Index sender = machine_of(packet.source, packet.from.address);
    if (!sender && asks_for_a_file(packet)) {
        sender = place_of(packet.source, true);
    }
    if (sender) {
        // A cooked capture does not tell the receiver's MAC. Not where the address itself told the sender.
        const auto known = by_mac_.find(packet.source);
        if (known != by_mac_.end() && known->second == *sender) {
            addresses_.give(packet.from.address, *sender);
        }
        hand(*sender, at, vlan, true, packet);
    }
    if (const Index receiver = machine_of(packet.target, packet.to.address); receiver && receiver != sender) {
        hand(*receiver, at, vlan, false, packet);
    }
    if (std::holds_alternative<boot::RouterAdvertisement>(packet.body) && is_group(packet.target)) {
        for (std::size_t index = 0; index < places_.size(); ++index) {
            if (index != sender && places_[index].vlans.contains(vlan)) {
                hand(index, at, vlan, false, packet);
            }
        }
    }
}

std::vector<FoundMachine> Machines::found() {
    std::vector<FoundMachine> all;
    all.reserve(places_.size());
    for (Place& place : places_) {
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
        return !by_mac_.contains(mac) && !other_machines_.contains(mac);
    }));
}

}  // namespace vml::capture
