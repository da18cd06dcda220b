// The machines that are kept, by their own addresses and by those that they were given. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/mac.h"
#include "capture/machine.h"

namespace vml::capture {

// How many machines find a place, and how much is kept of each.
struct Room {
    std::size_t machines = 128;
    // Where there is no room any more the machine gives way that has been silent for the longest time, of
    // those first that never came further than to ask DHCP, as made-up ones do; else who comes last is left
    // out.
    bool silent_give_way = false;
    std::size_t weight = SIZE_MAX;  // of all records together, where machines give way (bootwatch/weight.h)
    KeptBoots boots{};
};

struct Place {
    explicit Place(Machine seen) : machine{std::move(seen)} {}
    ~Place() = default;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    Place(Place&&) = delete;
    Place& operator=(Place&&) = delete;

    Machine machine;
    std::set<std::uint16_t> vlans{};
    bool reset = false;                      // what comes next is of another boot
    std::vector<boot::Address> addresses{};  // that lead here, the latest last
    std::uint64_t turn = 0;  // when it was heard last: the smallest is silent for the longest time
    bool is_real = false;    // it was given an address, or asked for a file
    std::size_t items = 0;   // of its record, when that was weighed
    std::size_t weight = 0;
};

// It can be moved, and the places stay where they are; not copied.
class Places {
  public:
    explicit Places(const Room& room) : room_{room} {}

    // nullptr: none.
    [[nodiscard]] Place* of(const Mac& mac) const;
    [[nodiscard]] Place* at(const boot::Address& address) const;

    // nullptr: there is no room.
    [[nodiscard]] Place* add(const Mac& mac);
    // Who would give way to this one, or where that is none, to a new one; nullptr: nobody does.
    [[nodiscard]] Place* silent(const Place* heard);
    void remove(const Place& place);

    // The address leads there from now on. Each machine has so many of them.
    void note_address(Place& place, const boot::Address& address);
    // The machine declined or released it. Another one's stays.
    void give_back(const Place& place, const boot::Address& address);
    void forget(const boot::Address& address);

    // The machine, or who talks to it, sent something.
    void heard(Place& place);
    // Is there room for what the machine's record has become?
    [[nodiscard]] bool fits(Place& place);

    // In the order in which they were seen.
    [[nodiscard]] std::list<Place>& all() { return places_; }

    static constexpr std::size_t most_addresses = 32;

  private:
    struct Hash {
        [[nodiscard]] std::size_t operator()(const Mac& mac) const;
        [[nodiscard]] std::size_t operator()(const boot::Address& address) const;
    };

    Room room_;
    std::list<Place> places_;
    std::unordered_map<Mac, std::list<Place>::iterator, Hash> by_mac_;
    std::unordered_map<boot::Address, Place*, Hash> by_address_;
    std::size_t weight_ = 0;
    std::uint64_t turn_ = 0;
};

}  // namespace vml::capture
