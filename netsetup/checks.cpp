#include "netsetup/checks.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <net/if.h>

#include "netsetup/hint.h"
#include "netsetup/mac_use.h"

namespace vml::net {

namespace {

using Severity = Finding::Severity;

// Gathers what the checks of one NIC find; each finding says which NIC and device it is about.
class Findings {
  public:
    explicit Findings(std::string about) : about_{std::move(about)} {}

    void fault(std::string why, std::string hint, ExitCode code = ExitCode::host) {
        add(Severity::fault, std::move(why), std::move(hint), code);
    }
    void warn(std::string why, std::string hint) {
        add(Severity::warning, std::move(why), std::move(hint), ExitCode::ok);
    }

    [[nodiscard]] std::vector<Finding> take() { return std::exchange(findings_, {}); }

  private:
    void add(Severity severity, std::string why, std::string hint, ExitCode code) {
        const std::string what = (severity == Severity::fault ? "cannot put " : "check ") + about_;
        findings_.push_back({severity, {what, std::move(why), std::move(hint), code}});
    }

    std::string about_;
    std::vector<Finding> findings_;
};

template <typename Wanted>
std::string names(const std::vector<Link>& links, Wanted wanted) {
    std::vector<std::string> found;
    for (const Link& link : links) {
        if (wanted(link)) {
            found.push_back(link.name);
        }
    }
    return fmt::format("{}", fmt::join(found, ", "));
}

// net/core/dev.c, dev_valid_name.
void check_name(const std::string& name, const std::vector<Link>& links, Findings& findings) {
    const bool printable = std::none_of(name.begin(), name.end(), [](unsigned char c) {
        return c == '/' || c == ':' || std::isspace(c) != 0;
    });
    const std::size_t percent = name.find('%');
    const bool pattern = percent != std::string::npos;
    const bool one_number =
        !pattern || (name.substr(percent, 2) == "%d" && name.find('%', percent + 1) == std::string::npos);
    if (name.empty() || name.size() >= IFNAMSIZ || !printable || !one_number || name == "." || name == "..") {
        findings.fault(fmt::format("'{}' cannot be a link's name", name),
                       "use 1 to 15 characters, no '/', ':' or space, and at most one %d for a number",
                       ExitCode::settings);
    } else if (!pattern && link_named(links, name) != nullptr) {
        findings.fault(fmt::format("a link named {} exists", name), hint_for(Step::create_macvtap, EEXIST));
    }
}

void check_privilege(const HostNetworkFacts& facts, Step step, Findings& findings) {
    if (!facts.net_admin) {
        findings.fault("this process lacks CAP_NET_ADMIN", hint_for(step, EPERM));
    }
}

void check_tun(const HostNetworkFacts& facts, Findings& findings) {
    if (facts.tun_error != 0) {
        const std::string hint = hint_for(Step::open_tun, facts.tun_error);
        findings.fault("/dev/net/tun: " + errno_text(facts.tun_error),
                       hint.empty() ? hint_for(Step::open_tun, EACCES) : hint);
    }
}

// An IPv4 host must accept 68 bytes; the kernel's own lower limit for a tap and for a macvtap (ETH_MIN_MTU).
constexpr unsigned smallest_mtu = 68;

void check_mtu(unsigned mtu, const Link& device, const std::string& hint, Findings& findings) {
    if (mtu != 0 && mtu < smallest_mtu) {
        findings.fault(fmt::format("an MTU of {} is too small", mtu), "use at least 68", ExitCode::settings);
    }
    if (mtu > device.mtu) {
        findings.fault(fmt::format("the MTU {} is larger than that of {}, {}", mtu, device.name, device.mtu),
                       hint);
    }
}

// br_if.c, br_mtu_auto_adjust: unless somebody set the bridge's MTU, it is the smallest of its ports'.
void check_mtu_lowers_bridge(unsigned mtu, const Link& bridge, Findings& findings) {
    if (mtu >= smallest_mtu && mtu < bridge.mtu) {
        findings.warn(fmt::format("an MTU of {} on a port lowers the bridge's own, {}, if nobody has set it",
                                  mtu, bridge.mtu),
                      fmt::format("leave the MTU out, or fix the bridge's: `ip link set {} mtu {}`",
                                  bridge.name, bridge.mtu));
    }
}

// A container without the host's network sees nothing of it.
std::string own_network_hint(const std::vector<Link>& links) {
    return fmt::format(
        "the container has a network of its own ({}): start it with `--network host` (Kubernetes: "
        "hostNetwork: true)",
        names(links, [](const Link& /*link*/) { return true; }));
}

const Link* check_is_bridge(const std::string& name, const HostNetworkFacts& facts, Findings& findings) {
    const std::vector<Link>& links = facts.links;
    const bool in_container = facts.in_container;
    const std::string bridges = names(links, [](const Link& link) { return link.bridge.has_value(); });
    const std::string choice =
        bridges.empty() && in_container ? own_network_hint(links)
        : bridges.empty() ? fmt::format("there is none: `ip link add {} type bridge` makes one", name)
                          : "the bridges here: " + bridges;
    const Link* link = link_named(links, name);
    if (link == nullptr) {
        findings.fault("there is no such bridge", choice);
    } else if (!link->bridge) {
        const std::string kind = link->kind.empty() ? "a device" : "a link of kind " + link->kind;
        findings.fault(fmt::format("{} is {}, not a bridge", name, kind),
                       choice + "; or use it directly, by macvtap");
        return nullptr;
    }
    return link;
}

void check_bridge_ports(const Link& bridge, const std::vector<Link>& links, Findings& findings) {
    const std::vector<const Link*> ports = ports_of(links, bridge);
    const bool carrier =
        std::any_of(ports.begin(), ports.end(), [](const Link* port) { return port->carrier; });
    if (ports.empty()) {
        // its address is the lowest of its ports', or zeros (br_stp_if.c), unless somebody set it
        findings.warn(
            "it has no port: only this host and other VMs can be reached through it, and its MAC address "
            "changes "
            "as VMs come and go",
            fmt::format("`ip link set DEVICE master {}` adds the device that leads to the boot server",
                        bridge.name));
    } else if (!carrier) {
        findings.warn("none of its ports has a carrier",
                      "check the cable, or the other end, of " +
                          names(links, [&](const Link& l) { return l.master == bridge.index; }));
    }
}

void check_bridge_behaviour(const Link& bridge, Findings& findings) {
    const std::chrono::milliseconds wait = time_to_forward(*bridge.bridge);
    if (wait.count() > 0) {
        findings.warn(
            fmt::format("spanning tree is on: a new port forwards only after {:.1f} s",
                        std::chrono::duration<double>{wait}.count()),
            fmt::format(
                "the guest is started when the port forwards; `ip link set {} type bridge stp_state 0` "
                "ends the wait",
                bridge.name));
    }
    if (bridge.bridge->vlan_filtering && bridge.bridge->default_pvid == 0) {
        findings.warn("it filters VLANs and puts a new port in none: it drops the guest's frames",
                      fmt::format("`ip link set {} type bridge vlan_default_pvid 1` gives new ports a VLAN",
                                  bridge.name));
    }
}

void check_firewall(const HostNetworkFacts& facts, Findings& findings) {
    if (facts.bridge_calls_iptables && facts.forward_drops) {
        findings.warn(
            "bridge-nf-call-iptables is 1 and the firewall's FORWARD policy is to drop: it may drop the "
            "guest's frames",
            "`sysctl net.bridge.bridge-nf-call-iptables=0`, or a rule that accepts what this bridge "
            "forwards");
    }
}

// The faults that a lower device's own kind brings: net/core/dev.c, netdev_rx_handler_register gives EBUSY
// for the masters.
void check_lower_kind(const Link& lower, const std::vector<Link>& links, Findings& findings) {
    const Link* master = link_numbered(links, lower.master);
    if (lower.loopback || !lower.ethernet) {
        findings.fault("it is not an Ethernet device", "use one of: " + names(links, [](const Link& l) {
                                                           return l.ethernet && l.up && l.master == 0 &&
                                                                  !l.macvlan_mode;
                                                       }));
    } else if (lower.port_of_kind == "bridge") {
        const std::string bridge = master == nullptr ? "a bridge" : "the bridge " + master->name;
        findings.fault("it is a port of " + bridge, "put the NIC on that bridge instead");
    } else if (!lower.port_of_kind.empty() && lower.port_of_kind != "vrf") {
        findings.fault(fmt::format("it belongs to {} (a {})",
                                   master == nullptr ? "another link" : master->name, lower.port_of_kind),
                       "use that link instead");
    }
    if (lower.wireless) {
        findings.fault("it is wireless: an access point drops frames of a second MAC address",
                       "use --network nat, or a wired device");
    }
}

void check_lower_macvlans(const Link& lower, const std::vector<Link>& links, Findings& findings) {
    if (lower.macvlan_mode) {
        findings.warn(
            "it is itself a macvlan: the kernel puts the new one beside it, on the same device below",
            "name the device below, if it is in this network namespace");
    }
    for (const Link* other : macvlans_on(links, lower)) {
        if (other->macvlan_mode == MacvlanMode::passthru) {
            findings.fault(fmt::format("{} has it to itself (macvlan mode passthru)", other->name),
                           fmt::format("delete {}, or use another device", other->name));
        }
    }
}

const Link* check_lower(const std::string& name, const HostNetworkFacts& facts, Findings& findings) {
    const std::vector<Link>& links = facts.links;
    const Link* lower = link_named(links, name);
    if (lower == nullptr) {
        findings.fault("there is no such device",
                       facts.in_container ? own_network_hint(links)
                                          : "the devices here: " + names(links, [](const Link& link) {
                                                return link.ethernet && !link.bridge;
                                            }));
        return nullptr;
    }
    if (!lower->up) {
        findings.fault(fmt::format("{} is down", name), fmt::format("`ip link set {} up`", name));
    } else if (!lower->carrier) {
        findings.warn("it has no carrier", "check the cable, or the other end");
    }
    check_lower_kind(*lower, links, findings);
    check_lower_macvlans(*lower, links, findings);
    return lower;
}

void check_mac(const std::vector<MacUse>& uses, Findings& findings) {
    for (const MacUse& use : uses) {
        if (use.certain) {
            findings.fault(use.why, use.hint);
        } else {
            findings.warn(use.why, use.hint);
        }
    }
}

std::vector<Fault> of(const std::vector<Finding>& findings, Severity severity) {
    std::vector<Fault> result;
    for (const Finding& finding : findings) {
        if (finding.severity == severity) {
            result.push_back(finding.fault);
        }
    }
    return result;
}

}  // namespace

std::vector<Finding> check_bridge(const BridgeRequest& request, const HostNetworkFacts& facts) {
    Findings findings{fmt::format("NIC {} on the bridge {}", request.nic, request.bridge)};
    check_privilege(facts, Step::attach_tap, findings);
    check_tun(facts, findings);
    check_name(request.tap_name, facts.links, findings);
    const Link* bridge = check_is_bridge(request.bridge, facts, findings);
    if (bridge == nullptr) {
        return findings.take();
    }
    if (!bridge->up) {
        findings.fault(fmt::format("{} is down", bridge->name),
                       fmt::format("`ip link set {} up`", bridge->name));
    }
    check_bridge_ports(*bridge, facts.links, findings);
    check_bridge_behaviour(*bridge, findings);
    check_mac(uses_on_bridge(request.guest_mac, *bridge, facts), findings);
    check_firewall(facts, findings);
    check_mtu(request.mtu, *bridge,
              "the bridge would drop larger frames: use a smaller MTU, or raise the bridge's", findings);
    check_mtu_lowers_bridge(request.mtu, *bridge, findings);
    return findings.take();
}

std::vector<Finding> check_direct(const DirectRequest& request, const HostNetworkFacts& facts) {
    Findings findings{fmt::format("NIC {} on the device {}", request.nic, request.device)};
    check_privilege(facts, Step::create_macvtap, findings);
    check_name(request.macvtap_name, facts.links, findings);
    if (const Link* lower = check_lower(request.device, facts, findings)) {
        check_mac(uses_on_device(request.guest_mac, *lower, facts.links), findings);
        check_mtu(request.mtu, *lower, "use a smaller MTU, or raise the device's", findings);
    }
    return findings.take();
}

std::vector<Fault> faults_in(const std::vector<Finding>& findings) {
    return of(findings, Severity::fault);
}

std::vector<Fault> warnings_in(const std::vector<Finding>& findings) {
    return of(findings, Severity::warning);
}

}  // namespace vml::net
