// A DHCPv6 server for one guest, which has one address for it (RFC 8415), and the file to boot (RFC 5970).
// Pure.
//
// It is a server of this guest's link alone, so that whoever asks there is the guest: a DUID names it however
// it likes. As over IPv4 a client is told by what it says: iPXE by its user class (option 15), a firmware's
// HTTP client by its vendor class (16: "HTTPClient"), which the answer must have too (UEFI 2.10, 24.7.3.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "netserve/segment_guest.h"

namespace vml::serve {

// The frame that answers this one; nothing: it is no question, or another server is meant.
[[nodiscard]] std::optional<std::string> dhcp6_answer(const SegmentGuest& guest, std::string_view frame);

}  // namespace vml::serve
