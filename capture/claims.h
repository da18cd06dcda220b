// Which hosts have said by ARP that an address is theirs. Pure.
#pragma once

#include <cstddef>
#include <set>
#include <utility>

#include "base/mac.h"
#include "bootwatch/packet.h"

namespace vml::capture {

// Whoever else was leased such an address: the host's own frames are not that machine's. Of more claims than
// are kept the first are.
class Claims {
  public:
    void add(const boot::Address& address, const Mac& host);
    [[nodiscard]] bool has(const boot::Address& address, const Mac& host) const {
        return claims_.contains({host, address});
    }

    static constexpr std::size_t most = 4096;

  private:
    std::set<std::pair<Mac, boot::Address>> claims_;
};

}  // namespace vml::capture
