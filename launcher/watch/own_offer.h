// The offers that tell the boot clients of a guest what vm-launch serves: a ProxyDHCP server's, to this guest
// alone. Pure.
//
// iPXE keeps an offer for as long as it looks for an address, whenever the DHCP server answers; with one it
// does not wait for others (src/net/udp/dhcp.c). So each of its searches is answered at once. UEFI's own
// client asks again at port 4011 (netserve/proxy_offer.h).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "bootwatch/packet.h"
#include "bootwatch/timeline.h"
#include "netserve/proxy_offer.h"

namespace vml {

// What the firmware's own client is to fetch.
struct FirmwareFile {
    std::string file{};                         // by TFTP its name, else a URL
    bool by_http = false;                       // its HTTP client asks, and not its PXE client
    std::vector<serve::OfferOption> options{};  // beside it
};

struct OwnService {
    std::string nic{};                          // "net0"
    Ip4 address{};                              // whose offer it is
    std::string bootfile{};                     // a URL, for iPXE; empty: nothing is offered to it
    std::vector<serve::OfferOption> options{};  // beside it
    std::optional<FirmwareFile> firmware{};     // none: nothing is offered to the firmware
    std::string told{};                         // what tells that the offer was made
    // QEMU's DHCP names the firmware's file too. A client that is offered no more than what needs no further
    // question never asks QEMU, which is no boot server.
    bool in_user_mode = false;
};

class OwnOffer {
  public:
    OwnOffer(std::optional<OwnService> service, const std::vector<boot::WatchedNic>& watched);

    // The offers, or the answer, that are due for a packet that has just come over a watched NIC, which `nic`
    // is an index of. None: this packet asks nothing of us, nothing is offered to whoever it is, or the NIC
    // is not served. `boot` has the packet already.
    [[nodiscard]] std::vector<serve::ProxyOffer> due(std::size_t nic, const boot::Packet& packet,
                                                     const boot::Boot& boot) const;

    // An offer went out, or could not. That one went out once is what is told.
    void was_sent(bool sent) { (sent ? made_ : failed_) = true; }
    // For the report, whether or not it was made; "" where there is none to make.
    [[nodiscard]] std::string text() const;

    // The NIC that is served; one that is not watched cannot be.
    [[nodiscard]] std::optional<std::size_t> nic() const { return nic_; }

  private:
    [[nodiscard]] std::optional<serve::ProxyOffer> offer_to(boot::Client client,
                                                            const boot::DhcpMessage& asked) const;

    std::optional<OwnService> service_;
    std::optional<std::size_t> nic_;
    Mac mac_{};
    bool made_ = false;
    bool failed_ = false;
};

}  // namespace vml
