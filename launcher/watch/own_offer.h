// The offers that tell the iPXE of a guest on a bridge what vm-launch serves: a ProxyDHCP server's, to this
// guest alone. Pure.
//
// iPXE keeps an offer for as long as it looks for an address, whenever the DHCP server answers; with one it
// does not wait for others (src/net/udp/dhcp.c). So each of its searches is answered at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bootwatch/packet.h"
#include "bootwatch/timeline.h"
#include "netserve/proxy_offer.h"

namespace vml {

struct OwnService {
    std::string nic{};                          // "net0"
    std::array<std::uint8_t, 4> address{};      // whose offer it is; network byte order
    std::string bootfile{};                     // a URL
    std::vector<serve::OfferOption> options{};  // beside it
    std::string told{};                         // what tells that the offer was made
};

class OwnOffer {
  public:
    OwnOffer(std::optional<OwnService> service, const std::vector<boot::WatchedNic>& watched);

    // The offer that is due for a packet that has just come over a watched NIC, which `nic` is an index of.
    // Nothing: this packet is no search, or not iPXE's, or the NIC is not served. `boot` has the packet
    // already.
    [[nodiscard]] std::optional<serve::ProxyOffer> due(std::size_t nic, const boot::Packet& packet,
                                                       const boot::Boot& boot) const;

    // The offer went out. Once is told.
    void was_made() { made_ = true; }
    // For the report, whether or not it was made; "" where there is none to make.
    [[nodiscard]] std::string text() const;

    // The NIC that is served; one that is not watched cannot be.
    [[nodiscard]] std::optional<std::size_t> nic() const { return nic_; }

  private:
    std::optional<OwnService> service_;
    std::optional<std::size_t> nic_;
    Mac mac_{};
    bool made_ = false;
};

}  // namespace vml
