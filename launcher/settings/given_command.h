// How vm-launch was called, as a shell line that calls it so again: for the report. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "launcher/settings/environment.h"
#include "launcher/settings/layer.h"

namespace vml {

// What stands in a secret's place.
inline constexpr std::string_view hidden_secret = "***";

// The text without what is nobody's to read: the user and password in a URL, and the value behind a key such
// as "password=".
[[nodiscard]] std::string without_secrets(std::string_view text);

// The variables that count (`layer` has them, beside what flags and a file say), the program's name and its
// arguments, with `hidden_secret` for each secret (OptionRow::is_secret) and for cloud-init's user data. A
// word is cut after 1,024 bytes, and the whole after 16 KiB: an ellipsis says so.
[[nodiscard]] std::string given_command(const std::vector<std::string>& arguments,
                                        const Environment& environment, const Layer& layer);

}  // namespace vml
