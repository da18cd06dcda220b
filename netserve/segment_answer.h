// What the host of an isolated segment answers to its guest's own link: as a router, and as a DHCP server.
// Frame in, frame out. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "netserve/segment_guest.h"

namespace vml::serve {

// Of a search for a router (RFC 4861): whom addresses and the file to boot are asked of (flags M and O),
// which addresses are on the link, and who knows names (RFC 8106). It is no default router: there is no way
// out.
[[nodiscard]] std::optional<std::string> router_answer(const SegmentGuest& guest, std::string_view frame);

// The one of these that this frame asks for; DHCP over IPv4 alone where no server listens over IPv6.
[[nodiscard]] std::optional<std::string> segment_answer(const SegmentGuest& guest, std::string_view frame);

}  // namespace vml::serve
