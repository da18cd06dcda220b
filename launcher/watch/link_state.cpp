#include "launcher/watch/link_state.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"

namespace vml {

namespace {

std::string port_text(const net::Link& port) {
    if (!port.up) {
        return fmt::format("{} (down)", port.name);
    }
    if (!port.carrier) {
        return fmt::format("{} (no carrier)", port.name);
    }
    return port.port_state && *port.port_state != net::PortState::forwarding
               ? fmt::format("{} ({})", port.name, net::to_text(*port.port_state))
               : port.name;
}

}  // namespace

std::vector<std::string> state_of_bridge(const std::string& bridge, const std::string& own_port,
                                         const net::HostNetworkFacts& facts) {
    const net::Link* link = net::link_named(facts.links, bridge);
    if (link == nullptr) {
        return {fmt::format("the bridge {} has gone", bridge)};
    }
    std::vector<std::string> seen;
    if (!link->up) {
        seen.push_back(fmt::format("{} is down", bridge));
    }
    std::vector<std::string> ports;
    for (const net::Link* port : net::ports_of(facts.links, *link)) {
        if (port->name != own_port) {
            ports.push_back(port_text(*port));
        }
    }
    const bool beside_own = !own_port.empty();
    seen.push_back(
        ports.empty()
            ? fmt::format("{} has no port{}", bridge, beside_own ? " but the guest's own" : "")
            : fmt::format("{}'s {}ports: {}", bridge, beside_own ? "other " : "", fmt::join(ports, ", ")));
    if (facts.bridge_calls_iptables && facts.forward_drops) {
        seen.emplace_back("the host's firewall drops what bridges forward");
    }
    return seen;
}

std::vector<std::string> state_of_device(const std::string& device, const net::HostNetworkFacts& facts) {
    const net::Link* link = net::link_named(facts.links, device);
    if (link == nullptr) {
        return {fmt::format("the device {} has gone", device)};
    }
    if (!link->up) {
        return {fmt::format("{} is down", device)};
    }
    return {fmt::format("{} {}", device,
                        link->carrier ? "is up and has a carrier" : "has no carrier: is the cable in?")};
}

std::vector<std::string> link_state_now(const boot::Circumstances& about, const std::string& own_port) {
    if (about.network == boot::Network::nat || about.network == boot::Network::isolated) {
        return {};
    }
    try {
        const net::HostNetworkFacts facts = net::host_network_facts();
        return about.network == boot::Network::bridge ? state_of_bridge(about.host_link, own_port, facts)
                                                      : state_of_device(about.host_link, facts);
    } catch (const Error&) {
        return {};  // the verdict does without
    }
}

}  // namespace vml
