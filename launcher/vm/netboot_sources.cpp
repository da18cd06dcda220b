#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/decide_parts.h"

namespace vml {

namespace {

// SeaBIOS has no network client of its own, UEFI's can load iPXE.
bool ipxe_comes_by_firmware(const DecideInput& in) {
    const std::optional<std::size_t> nic = netboot_nic(in.settings);
    const Arch arch = arch_of(in.settings, in.facts.arch);
    return nic && boots_by_firmware(in.settings, *nic, firmware_of(in.settings, arch));
}

}  // namespace

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
    // The ROM of a NIC on BIOS is iPXE, which an order of the user's own asks for.
    if (!in.settings.ipxe && in.origins.contains("ipxe") && in.settings.boot_order &&
        !in.origins.contains("boot-order") &&
        firmware_of(in.settings, arch_of(in.settings, in.facts.arch)) == FirmwareMode::legacy) {
        findings.settings_fault(
            fmt::format("{} leaves nothing that could boot from the network", in.origin("ipxe")),
            "SeaBIOS has no network client of its own",
            "leave it out, or use --firmware uefi, whose client can load iPXE");
        return;
    }
    for (const std::string_view flag : {"script", "kernel"}) {
        if (in.origins.contains(flag) && !in.settings.ipxe && !ipxe_comes_by_firmware(in)) {
            findings.settings_fault(fmt::format("{} needs iPXE", in.origin(flag)),
                                    fmt::format("{} switches it off", in.origin("ipxe")), "leave that out");
        }
    }
}

}  // namespace vml
