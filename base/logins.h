// User names and passwords in URLs. Pure.
#pragma once

#include <string>
#include <string_view>

namespace vml {

// What stands in a secret's place.
inline constexpr std::string_view hidden_secret = "***";

// The text with `hidden_secret` for the user and password in each URL ("http://me:word@host/") and in
// dracut's netroot= and root= ("iscsi:me:word@host:…", dracut.cmdline(7)). Where it is not clear what belongs
// to a login, all that may is hidden.
[[nodiscard]] std::string without_logins(std::string_view text);

}  // namespace vml
