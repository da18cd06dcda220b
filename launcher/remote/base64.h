// Base64 (RFC 4648, section 4), as the guest agent sends what a command wrote. Pure.
#pragma once

#include <string>
#include <string_view>

namespace vml {

// What was encoded; ends where the text ceases to be base64.
[[nodiscard]] std::string from_base64(std::string_view text);

}  // namespace vml
