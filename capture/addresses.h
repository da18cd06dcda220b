// Which machine of a capture has which address. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "bootwatch/packet.h"

namespace vml::capture {

// Machines are numbers here. Of more addresses than are kept the first are.
class Addresses {
  public:
    // A server leased it to the machine, or the machine speaks from it.
    void give(const boot::Address& address, std::size_t machine);
    // The machine declined or released it. Another one's stays.
    void give_back(const boot::Address& address, std::size_t machine);
    // A host that is no machine has it now.
    void forget(const boot::Address& address) { leases_.erase(address); }
    [[nodiscard]] std::optional<std::size_t> machine_at(const boot::Address& address) const;

    // A host answered ARP for it: whoever else was leased it, its own frames are not that machine's.
    void claim(const boot::Address& address, const Mac& host);
    [[nodiscard]] bool is_claimed(const boot::Address& address, const Mac& host) const {
        return claims_.contains({host, address});
    }

    static constexpr std::size_t most = 4096;

  private:
    std::map<boot::Address, std::size_t> leases_;
    std::set<std::pair<Mac, boot::Address>> claims_;
};

}  // namespace vml::capture
