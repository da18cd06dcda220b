#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "launcher/settings/nic_options.h"
#include "launcher/settings/values.h"
#include "launcher/vm/boot_sources.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/link_kind.h"

namespace vml {

namespace {

// Of two sources of one setting the one that wins has the higher rank.
int rank_of_source(std::string_view origin) {
    return origin.starts_with('-') ? 2 : origin.starts_with('$') ? 1 : 0;
}

// A flag that sets the mode anew leaves what a variable or a file says for another mode.
bool mode_is_overridden(const DecideInput& in, std::string_view flag) {
    const auto mode = in.origins.find("network");
    const auto link = in.origins.find(flag);
    return mode != in.origins.end() && link != in.origins.end() &&
           rank_of_source(mode->second) > rank_of_source(link->second);
}

bool by_variable(const DecideInput& in, std::size_t index) {
    return !in.origins.contains(nic_origin(index, ""));
}

// The setting of a NIC that is on or off, or a word, in its user's notation.
std::string wanted_of_nic(const DecideInput& in, std::size_t index, std::string_view key,
                          std::string_view value) {
    if (index == 0) {
        return fmt::format("--{}={}", flag_of_nic_key(key), value);
    }
    return shown_nic_key(key, value, static_cast<int>(index) + 1, by_variable(in, index));
}

// The link's name counts in its own mode alone.
void note_idle_link(const DecideInput& in, std::size_t index, const LinkKind& kind, Findings& findings) {
    const std::string words = nic_words(in, index, kind.option);
    const bool told_by_nic = index > 0 && !by_variable(in, index);
    findings.note(fmt::format("{}{} has no effect without {}", words,
                              told_by_nic ? fmt::format(": {}=", kind.option) : "",
                              wanted_of_nic(in, index, "mode", kind.name)));
}

void note_idle_links(const DecideInput& in, Findings& findings) {
    for (std::size_t index = 0; index < in.settings.nics.size(); ++index) {
        const NicSettings& nic = in.settings.nics[index];
        const std::array given{std::pair{nic.bridge, row_of(BridgePort{})},
                               std::pair{nic.direct_dev, row_of(Macvtap{})},
                               std::pair{nic.segment, row_of(Isolated{})}};
        for (const auto& [name, kind] : given) {
            if (name && kind.name != kind_of(net_of(nic)).name &&
                (index > 0 || !mode_is_overridden(in, kind.option))) {
                note_idle_link(in, index, kind, findings);
            }
        }
        if (nic.guest_ip && nic.network != NetworkMode::nat) {
            findings.note(
                fmt::format("{} has no effect without {}: on another network the guest's address is "
                            "that network's to give",
                            nic_words(in, index, "guest-ip"), wanted_of_nic(in, index, "mode", "nat")));
        }
    }
}

// With no NIC that it could be for, it is a fault (check_netboot_settings). In user mode the folder is served
// all the same: a program on a CD may be iPXE, and fetch from it.
void note_idle_netboot(const DecideInput& in, Findings& findings) {
    const Settings& settings = in.settings;
    const std::string_view flag = settings.netboot_dir ? "netboot-dir"
                                  : settings.script    ? "script"
                                  : settings.kernel    ? "kernel"
                                                       : "bootfile";
    const std::optional<std::size_t> nic = netboot_nic(settings);
    if (!in.origins.contains(flag) || !nic) {
        return;
    }
    if (!boots_from(settings, BootDevice::network)) {
        if (!settings.iso || settings.nics[*nic].network != NetworkMode::nat) {
            findings.note(
                fmt::format("{}: nothing boots from it, as the boot order ({}) has no network (add "
                            "--ipxe, or --boot-order network,hd)",
                            in.origin(flag), to_string(wanted_order(settings))));
        }
    } else if (!takes_part_in_boot(settings.nics[*nic], *nic)) {
        findings.note(fmt::format("{}: it is for NIC {}, which takes no part in the boot (let it: {})",
                                  in.origin(flag), *nic + 1, wanted_of_nic(in, *nic, "boot", "on")));
    }
}

}  // namespace

// A stage that only the guest's agent reaches, by a port that is left out.
void check_agent(const DecideInput& in, Findings& findings) {
    const Settings& settings = in.settings;
    if (settings.guest_agent) {
        return;
    }
    const std::string without = in.origin("guest-agent");
    if (settings.until && settings.until->stage == boot::Stage::agent) {
        findings.settings_fault(fmt::format("{}: the boot cannot come to that", in.origin("until")),
                                fmt::format("{} leaves the guest's agent out", without),
                                "leave one of them out");
    }
    if (settings.health_stage == boot::name_of(boot::Stage::agent)) {
        findings.note(fmt::format("{}: the VM will never be healthy, as {} leaves the guest's agent out",
                                  in.origin("health-stage"), without));
    }
}

void note_unused(const DecideInput& in, Findings& findings) {
    check_agent(in, findings);
    note_idle_links(in, findings);
    note_idle_netboot(in, findings);
}

}  // namespace vml
