// The one guest that a vm-launch serves on an isolated segment, and what it is given there. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/mac.h"
#include "base/segment_place.h"
#include "netserve/proxy_offer.h"

namespace vml::serve {

struct SegmentGuest {
    Mac mac{};
    unsigned number = 1;    // its place
    std::string script{};   // what iPXE is named: a name among what is served, or a URL; empty: nothing
    std::string program{};  // what any other client is named
    std::vector<OfferOption> options{};  // by DHCP over IPv4; those inside of option 175 for iPXE alone
    bool with_ip6 = true;                // a server listens at server6_of(number)
    bool by_proxy = false;   // a ProxyDHCP server names the file, and who gives the address names none
    std::size_t mtu = 1500;  // of its link; at least 1280 (RFC 8200, 5)
};

// What its server is called, by DNS.
inline constexpr std::string_view boot_name = "boot.local";

// "198.18.1.1", "fd56:4d4c:5241::1:1"
[[nodiscard]] std::string text_of_ip(const Ip4& address);
[[nodiscard]] std::string text_of_ip(const Ip6& address);

// Where a name among what is served is found, by this scheme and at this host ("198.18.1.1", "[fd56::1]"); a
// URL is its own place.
[[nodiscard]] std::string place_of(std::string_view scheme, const std::string& host, const std::string& name);

}  // namespace vml::serve
