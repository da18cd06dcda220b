// What a script's lines fetch, and which variables may have been empty in it. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "ipxescript/script.h"

namespace vml::ipxescript {

// The URLs or names of images that a command fetches, as they are written; none for other commands.
[[nodiscard]] std::vector<std::string> sources_of(const Command& command);

// The files of its own server that a script names, each once: without variables, escapes and queries.
// Relative to the script's folder, or with a slash to the server's root. At most `most_named`.
[[nodiscard]] std::vector<std::string> own_files(const Script& script);
inline constexpr std::size_t most_named = 256;

// The same with what the script's own URL adds to it (RFC 3986, 5.2, without its dot segments): two ways
// where it begins with a variable, which may hold a server's name or nothing.
[[nodiscard]] std::vector<std::string> resolved(std::string_view source, std::string_view script_url);

// Can `url` have come of `source`, with whatever its variables held?
[[nodiscard]] bool fits(std::string_view source, std::string_view url);

// The variables of `source` that may have been empty where `url` came of it: "net0/dhcp/hostname".
[[nodiscard]] std::vector<std::string> empty_in(std::string_view source, std::string_view url);

// The variables that a script sets, or lets somebody type or choose. A name that is itself made of variables
// comes as it is written.
[[nodiscard]] std::vector<std::string> variables_set(const Script& script);

// Does iPXE, DHCP or the machine set it, where no script does?
[[nodiscard]] bool is_given(std::string_view variable);

// Is a part of the URL empty where a variable would stand: "http:///k", "http://h//k", "http://h/.ipxe"?
[[nodiscard]] bool has_empty_part(std::string_view url);

}  // namespace vml::ipxescript
