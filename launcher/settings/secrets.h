// Secrets within other texts, such as a kernel's command line or a word for QEMU. Pure.
#pragma once

#include <string>
#include <string_view>

namespace vml {

// The text with `hidden_secret` (base/logins.h) for what is nobody's to read, as far as its shape shows it:
//   - the user and password in a URL;
//   - the value behind a key such as "password=", "rootpw=" or "luks.key=". It goes to the next blank outside
//     of quotes, whatever else is in it; behind the "?" of a URL to the next "&"; in QEMU's notation
//     (secret,id=s0,data=…) to the next comma that is not doubled;
//   - JSON in which a secret is named, from its "{" on;
//   - an iPXE script, of which the first line alone stays.
// Rather too much than too little is hidden.
[[nodiscard]] std::string without_secrets(std::string_view text);

// The same of several words, as a shell would split them: each of its own shape.
[[nodiscard]] std::string words_without_secrets(std::string_view text);

}  // namespace vml
