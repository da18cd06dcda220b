// The virtual machine itself. Pure; each parse_… throws ValueError.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "launcher/settings/option_row.h"

namespace vml {

// A count from 1 to 4096, "half" or "max".
[[nodiscard]] Amount parse_cpus(std::string_view text);
// MiB, or with M, G or T; "half" or "max".
[[nodiscard]] Amount parse_memory(std::string_view text);
// "serial=S1,asset=A1": fields of SMBIOS, each at most once.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> parse_smbios(std::string_view text);
// A VM's name: letters, digits, '.', '_' and '-', at most 63 characters (a host name label's limit, RFC
// 1123).
[[nodiscard]] std::string parse_name(std::string_view text);
[[nodiscard]] std::string parse_host_name(std::string_view text);

[[nodiscard]] std::vector<OptionRow> machine_options();

}  // namespace vml
