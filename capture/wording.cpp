#include "capture/wording.h"

#include <algorithm>
#include <cmath>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace vml::capture {

std::string utc_text(double seconds) {
    constexpr double latest = 253402300799;  // the year 9999
    const double kept = std::clamp(std::isfinite(seconds) ? seconds : 0, 0.0, latest);
    const double whole = std::floor(kept);
    constexpr double milli = 1000;
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03.0f}Z", fmt::gmtime(static_cast<std::time_t>(whole)),
                       std::floor((kept - whole) * milli));
}

std::string where_text(const FoundMachine& machine) {
    std::string text;
    for (const std::uint16_t vlan : machine.vlans) {
        if (vlan != 0) {
            text += fmt::format("{}VLAN {}", text.empty() ? "" : ", ", vlan);
        }
    }
    for (const boot::Address& relay : machine.relays) {
        text += fmt::format("{}behind the relay {}", text.empty() ? "" : ", ", to_string(relay));
    }
    return text;
}

std::string arch_text(const FoundMachine& machine) {
    if (!machine.arch) {
        return {};
    }
    switch (*machine.arch) {  // IANA, Processor Architecture Types
        case 0:
            return "BIOS";
        case 6:
        case 15:
            return "UEFI on i386";
        case 7:
        case 9:
        case 16:
            return "UEFI on x86_64";
        case 11:
        case 19:
            return "UEFI on aarch64";
        default:
            return fmt::format("architecture {}", *machine.arch);
    }
}

}  // namespace vml::capture
