// iPXE waits 3 s for the offer of a ProxyDHCP server, which a user-mode network has none of: QEMU's own offer
// is repeated as one's. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "bootwatch/packet.h"
#include "bootwatch/record.h"
#include "bootwatch/timeline.h"
#include "netserve/proxy_offer.h"

namespace vml {

class OfferRepeat {
  public:
    // `to`: the NICs, "net0", whose offers are QEMU's own; the others' are never repeated.
    OfferRepeat(const std::vector<std::string>& to, const std::vector<boot::WatchedNic>& watched);

    // The offer that has just come over a watched NIC, which `nic` is an index of, as a ProxyDHCP server's.
    // Nothing: this packet is no offer, names no file, or is not iPXE's. `boot` has the packet already.
    [[nodiscard]] std::optional<serve::ProxyOffer> repeated(std::size_t nic, const boot::Packet& packet,
                                                            const boot::Boot& boot) const;

    // What tells that it was sent, at so many seconds.
    [[nodiscard]] std::string text(std::size_t nic, double at) const;

  private:
    struct Nic {
        std::string id;
        Mac mac{};
        bool repeat = false;
    };

    std::vector<Nic> nics_;
};

}  // namespace vml
