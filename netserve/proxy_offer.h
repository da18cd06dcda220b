// What a ProxyDHCP server offers to a PXE client that asked for an address, and tells the one that asks it
// once more. Pure.
//
// iPXE waits 3 s for one after it was offered an address (src/config/dhcp.h, DHCP_DISC_PROXY_TIMEOUT_SEC),
// unless one has come. Where it names both a server and a file, iPXE asks no boot server at port 4011
// (src/net/udp/dhcp.c, dhcp_has_pxeopts). A file of the DHCP server itself goes before a ProxyDHCP server's,
// and of two of these the later one counts, unless their priorities differ: option 175.1, a signed byte, 0
// where there is none (src/core/settings.c, reprioritise_settings; dhcp_discovery_rx). Where the DHCP server
// says that there is no ProxyDHCP (option 175.176), iPXE takes no such offer at all.
//
// UEFI's PXE client (edk2, NetworkPkg/UefiPxeBcDxe/PxeBcDhcp4.c) takes of all ProxyDHCP offers with discovery
// control (option 43.6) the first, and forgot that one, too, in older builds (PxeBcCacheDhcp4Offer). One
// without, it takes for a BINL server's: behind the former, and its server is asked for the file at port 4011
// (PxeBcRetryBinlOffer). So it is offered both. Either goes before whatever file came with the address,
// unless that offer is a PXE server's too. Its HTTP client (HttpBootDxe/HttpBootDhcp4.c) takes a URL from an
// offer whose class is HTTPClient, and asks nobody again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/mac.h"
#include "netserve/udp_frame.h"

namespace vml::serve {

// An option of the user's: its code (inside of option 175, iPXE's own, where that is said), and its bytes, 1
// to 255; those inside of option 175 fit into one.
struct OfferOption {
    std::uint8_t code = 0;
    bool of_ipxe = false;
    std::string value{};
    bool operator==(const OfferOption&) const = default;
};

// Whose question is answered, beside the search of a client without an address.
struct ProxyAnswer {
    UdpEnd to;    // the client
    UdpEnd from;  // whom it asked
    bool operator==(const ProxyAnswer&) const = default;
};

// What the client asked, and what it gets.
struct ProxyOffer {
    std::uint32_t xid = 0;                  // of its DHCPDISCOVER
    Mac client{};                           // its hardware address
    Ip4 server{};                           // whose offer it is, and where the file is by TFTP
    std::string bootfile{};                 // a name or a URL, of 1 to 255 bytes
    std::optional<std::int8_t> priority{};  // among iPXE's settings; none: the option is left out
    std::vector<OfferOption> options{};     // beside these; of one that the offer has by itself, this counts
    std::string vendor_class{"PXEClient"};  // or HTTPClient (UEFI 2.10, 24.7.3)
    bool discovery = true;  // option 43.6: the file named here, and no other server is to be asked
    std::optional<ProxyAnswer> answers{};  // then it is a DHCPACK
    bool operator==(const ProxyOffer&) const = default;
};

// The Ethernet frame, to everybody on the link where the client has no address yet. To be sent on the guest's
// own link only.
[[nodiscard]] std::string proxy_offer(const ProxyOffer& offer);

// Bytes of DHCP's message in that frame: what an MTU has to have room for, beside udp4_overhead.
[[nodiscard]] std::size_t proxy_offer_size(const ProxyOffer& offer);

}  // namespace vml::serve
