// Words that text and documents have in common. Pure.
#pragma once

#include <string>

#include "capture/machines.h"

namespace vml::capture {

// ISO 8601, to the millisecond: "2026-11-28T10:00:00.123Z".
[[nodiscard]] std::string utc_text(double seconds);
// "VLAN 12, behind the relay 10.1.0.1"; empty: neither.
[[nodiscard]] std::string where_text(const FoundMachine& machine);
// Of option 93: "UEFI on x86_64"; empty: it was not told.
[[nodiscard]] std::string arch_text(const FoundMachine& machine);

}  // namespace vml::capture
