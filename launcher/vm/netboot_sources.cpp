#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "launcher/vm/decide_parts.h"

namespace vml {

// One of them names what boots, and what belongs to one of them stands beside it.
void check_netboot_sources(const DecideInput& in, Findings& findings) {
    constexpr std::array<std::string_view, 3> sources{"script", "kernel", "bootfile"};
    std::vector<std::string> given;
    for (const std::string_view flag : sources) {
        if (in.origins.contains(flag)) {
            given.push_back(in.origin(flag));
        }
    }
    if (given.size() > 1) {
        findings.settings_fault(fmt::format("{} each name what is to boot", listed(given, "and")), "",
                                "give one of them");
    }
    for (const std::string_view flag : {"initrd", "append"}) {
        if (in.origins.contains(flag) && !in.settings.kernel) {
            findings.settings_fault(fmt::format("{} has no effect without --kernel", in.origin(flag)), "",
                                    "add --kernel FILE");
        }
    }
    for (const std::string_view flag : {"script", "kernel"}) {
        if (in.origins.contains(flag) && !in.settings.ipxe) {
            findings.settings_fault(fmt::format("{} needs iPXE", in.origin(flag)),
                                    fmt::format("{} switches it off", in.origin("ipxe")), "leave that out");
        }
    }
}

}  // namespace vml
