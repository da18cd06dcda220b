// A DHCP server for one guest, which has one address for it (RFC 2131, RFC 2132). Pure.
//
// What a client is named depends on what it is: iPXE says so (option 77, or one of its own: 175), a
// firmware's HTTP client asks as "HTTPClient" and takes an answer of that class alone (UEFI 2.10, 24.7.3.1),
// its PXE asks as "PXEClient" and gets a name by TFTP. Everybody else gets an address alone.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netserve/segment_guest.h"

namespace vml::serve {

// The frame that answers this one; nothing: it is no question of this guest's, or another server is meant.
[[nodiscard]] std::optional<std::string> dhcp4_answer(const SegmentGuest& guest, std::string_view frame);

// Of a guest that is told by proxy: what a ProxyDHCP server at the same address says to a search for an
// address, beside that answer, and what it says to a client that asks it again at port 4011
// (netserve/proxy_offer.h). Nothing where there is nothing to name.
[[nodiscard]] std::vector<std::string> proxy4_answers(const SegmentGuest& guest, std::string_view frame);

// A client that boots, as far as its answer depends on it.
enum class BootClient { ipxe, pxe, http };

// Bytes of DHCP's message.
struct AnswerSize {
    std::size_t whole = 0;    // with all of the user's options
    std::size_t largest = 0;  // that this client and its link take; one that is longer goes without them
};
[[nodiscard]] AnswerSize dhcp4_answer_size(const SegmentGuest& guest, BootClient client);

}  // namespace vml::serve
