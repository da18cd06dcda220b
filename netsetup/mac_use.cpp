#include "netsetup/mac_use.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "netsetup/forwarding.h"
#include "netsetup/tag.h"

namespace vml::net {

namespace {

constexpr const char* choose_another = "choose another MAC address (--mac)";

// A new port is in the VLAN default_pvid of a bridge that filters.
bool concerns(const ForwardingEntry& entry, const Mac& guest, const Link& bridge) {
    return entry.bridge == bridge.index && entry.mac == guest &&
           (!bridge.bridge->vlan_filtering || entry.vlan == 0 || entry.vlan == bridge.bridge->default_pvid);
}

std::vector<ForwardingEntry> entries_of(const Mac& guest, const Link& bridge, const HostNetworkFacts& facts) {
    std::vector<ForwardingEntry> found;
    for (const ForwardingEntry& entry : *facts.forwarding) {
        if (concerns(entry, guest, bridge)) {
            found.push_back(entry);
        }
    }
    return found;
}

MacUse use_by_host(const Mac& guest, const std::string& link) {
    return {true,
            fmt::format("{} is this host's own address there ({}): it would take the guest's frames",
                        mac_text(guest), link),
            choose_another};
}

MacUse use_by_vm(const Mac& guest, const Link& tap, const std::optional<TapAlias>& alias, bool certain) {
    const std::string vm = alias ? fmt::format("the VM {}", alias->owner) : std::string{"another VM"};
    return {certain,
            certain ? fmt::format("{} on its port {} has the guest's MAC address {}", vm, tap.name,
                                  mac_text(guest))
                    : fmt::format("{} on its port {} may have the guest's MAC address {}", vm, tap.name,
                                  mac_text(guest)),
            fmt::format("{}, or stop that VM", choose_another)};
}

// The host's end of a VM's tap shows the guest's address but for its first octet (tap_mac_for; libvirt's has
// the same form); the first is in the alias of a tap of ours, or in the bridge's table once that guest has
// sent a frame.
std::optional<MacUse> use_by_tap(const Mac& guest, const Link& tap, const Link& bridge, bool heard) {
    if (tap.kind != "tun" || tap.mac != tap_mac_for(guest)) {
        return std::nullopt;
    }
    const std::optional<TapAlias> alias = parse_tap_alias(tap.alias);
    if (alias && alias->guest != guest && !heard) {
        return std::nullopt;
    }
    const bool apart = bridge.bridge->vlan_filtering;  // it may be in another VLAN
    return use_by_vm(guest, tap, alias, heard || (alias && !apart));
}

MacUse use_by_table(const ForwardingEntry& entry, const std::vector<Link>& links) {
    const Link* port = link_numbered(links, entry.port);
    const std::string name = port == nullptr ? fmt::format("number {}", entry.port) : port->name;
    if (entry.set_by_hand) {
        return {false,
                fmt::format("its table leads {} to its port {}, by a fixed entry", mac_text(entry.mac), name),
                fmt::format("`bridge fdb del {} dev {} master` removes it; or {}", mac_text(entry.mac), name,
                            choose_another)};
    }
    return {false,
            fmt::format("{} was heard on its port {} {} s ago", mac_text(entry.mac), name,
                        entry.silent_for.count()),
            fmt::format(
                "another machine has this address, unless this VM itself was there until then: {}, or stop "
                "the other one",
                choose_another)};
}

// A table has an address of the host's own once for each VLAN.
void add_once(MacUse use, std::vector<MacUse>& uses) {
    if (std::find(uses.begin(), uses.end(), use) == uses.end()) {
        uses.push_back(std::move(use));
    }
}

}  // namespace

std::vector<MacUse> uses_on_bridge(const Mac& guest, const Link& bridge, const HostNetworkFacts& facts) {
    std::vector<MacUse> uses;
    if (!facts.forwarding) {
        return uses;
    }
    const std::vector<ForwardingEntry> entries = entries_of(guest, bridge, facts);
    const auto heard_on = [&](int port) {
        return std::any_of(entries.begin(), entries.end(), [&](const ForwardingEntry& entry) {
            return entry.port == port && !entry.set_by_hand;
        });
    };
    std::vector<int> taps;
    for (const Link* port : ports_of(facts.links, bridge)) {
        if (port->alias == doctor_alias) {
            taps.push_back(port->index);
            continue;
        }
        if (auto use = use_by_tap(guest, *port, bridge, heard_on(port->index))) {
            uses.push_back(*std::move(use));
            taps.push_back(port->index);
        }
    }
    for (const ForwardingEntry& entry : entries) {
        const Link* port = link_numbered(facts.links, entry.port);
        if (entry.local) {
            add_once(use_by_host(guest, port == nullptr ? bridge.name : port->name), uses);
        } else if (std::find(taps.begin(), taps.end(), entry.port) == taps.end()) {
            add_once(use_by_table(entry, facts.links), uses);
        }
    }
    return uses;
}

std::vector<MacUse> uses_on_device(const Mac& guest, const Link& device, const std::vector<Link>& links) {
    std::vector<MacUse> uses;
    if (device.mac == guest) {
        uses.push_back({true, fmt::format("{} is its own address", mac_text(guest)), choose_another});
    }
    for (const Link* other : macvlans_on(links, device)) {
        // one with our mark may be left over, and goes before a new one is made; else the kernel refuses ours
        if (other->mac == guest && !parse_tag(other->alias)) {
            uses.push_back(
                {true, fmt::format("{} on it has the guest's MAC address {}", other->name, mac_text(guest)),
                 choose_another});
        }
    }
    return uses;
}

}  // namespace vml::net
