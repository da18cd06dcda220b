// A name server that knows one name, of a server on the guest's own segment (RFC 1035, RFC 3596). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "netserve/segment_guest.h"

namespace vml::serve {

// The datagram that answers this one: boot.local's addresses, and that there is no other name. Nothing: it is
// no question.
[[nodiscard]] std::optional<std::string> dns_answer(const SegmentGuest& guest, std::string_view datagram);

}  // namespace vml::serve
