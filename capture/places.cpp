#include "capture/places.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <string_view>

#include "bootwatch/weight.h"

namespace vml::capture {

namespace {

template <std::size_t size>
std::size_t hash_of_bytes(const std::array<std::uint8_t, size>& bytes) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are hashed as characters
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), size});
}

}  // namespace

std::size_t Places::Hash::operator()(const Mac& mac) const {
    return hash_of_bytes(mac);
}

std::size_t Places::Hash::operator()(const boot::Address& address) const {
    return hash_of_bytes(address.bytes);
}

Place* Places::of(const Mac& mac) const {
    const auto known = by_mac_.find(mac);
    return known == by_mac_.end() ? nullptr : &*known->second;
}

Place* Places::at(const boot::Address& address) const {
    const auto known = address.is_zero() ? by_address_.end() : by_address_.find(address);
    return known == by_address_.end() ? nullptr : known->second;
}

Place* Places::add(const Mac& mac) {
    if (places_.size() >= room_.machines) {
        return nullptr;
    }
    const auto place = places_.emplace(places_.end(), Machine{mac, room_.boots});
    by_mac_.emplace(mac, place);
    place->turn = ++turn_;
    return &*place;
}

Place* Places::silent(const Place* heard) {
    if (!room_.silent_give_way) {
        return nullptr;
    }
    Place* first = nullptr;
    for (Place& place : places_) {
        if (&place != heard && (first == nullptr || std::pair{place.is_real, place.turn} <
                                                        std::pair{first->is_real, first->turn})) {
            first = &place;
        }
    }
    return first;
}

void Places::remove(const Place& place) {
    for (const boot::Address& address : place.addresses) {
        if (const auto known = by_address_.find(address);
            known != by_address_.end() && known->second == &place) {
            by_address_.erase(known);
        }
    }
    weight_ -= place.weight;
    const auto known = by_mac_.find(place.machine.mac());
    const auto where = known->second;
    by_mac_.erase(known);
    places_.erase(where);
}

void Places::note_address(Place& place, const boot::Address& address) {
    if (address.is_zero()) {
        return;
    }
    auto& addresses = place.addresses;
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
        if (addresses.size() >= most_addresses) {
            if (at(addresses.front()) == &place) {
                by_address_.erase(addresses.front());
            }
            addresses.erase(addresses.begin());
        }
        addresses.push_back(address);
    }
    by_address_.insert_or_assign(address, &place);
}

void Places::give_back(const Place& place, const boot::Address& address) {
    if (at(address) == &place) {
        by_address_.erase(address);
    }
}

void Places::forget(const boot::Address& address) {
    by_address_.erase(address);
}

void Places::heard(Place& place) {
    place.turn = ++turn_;
    if (!place.is_real) {
        const Glance boot = place.machine.glance();
        place.is_real = !boot.fetches.empty() ||
                        std::any_of(boot.record.dhcp.begin(), boot.record.dhcp.end(),
                                    [](const boot::DhcpTalk& talk) { return talk.ack.has_value(); });
    }
}

bool Places::fits(Place& place) {
    constexpr std::size_t worth_weighing = 32;  // items more than the last time
    const Glance boot = place.machine.glance();
    const std::size_t items =
        boot.number + boot.record.marks.size() + boot.record.unanswered.size() + boot.fetches.size();
    const bool is_new = place.weight == 0;
    if (is_new || items >= place.items + worth_weighing || items < place.items) {
        place.items = items;
        weight_ -= place.weight;
        place.weight = place.machine.weight();
        weight_ += place.weight;
    }
    return weight_ <= room_.weight;
}

}  // namespace vml::capture
