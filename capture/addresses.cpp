#include "capture/addresses.h"

namespace vml::capture {

void Addresses::give(const boot::Address& address, std::size_t machine) {
    if (!address.is_zero() && (leases_.size() < most || leases_.contains(address))) {
        leases_.insert_or_assign(address, machine);
    }
}

void Addresses::give_back(const boot::Address& address, std::size_t machine) {
    if (const auto lease = leases_.find(address); lease != leases_.end() && lease->second == machine) {
        leases_.erase(lease);
    }
}

std::optional<std::size_t> Addresses::machine_at(const boot::Address& address) const {
    const auto lease = leases_.find(address);
    return lease == leases_.end() ? std::nullopt : std::optional{lease->second};
}

void Addresses::claim(const boot::Address& address, const Mac& host) {
    if (!address.is_zero() && claims_.size() < most) {
        claims_.emplace(host, address);
    }
}

}  // namespace vml::capture
