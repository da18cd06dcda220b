#include <fmt/format.h>
#include <fmt/ranges.h>

#include "launcher/vm/decide_parts.h"
#include "netsetup/mac.h"
#include "netsetup/plan.h"

namespace vml {

namespace {

// Names of the host's links that could be meant.
std::string possible_links(const net::HostNetworkFacts& host, NetworkMode mode) {
    std::vector<std::string> names;
    for (const net::Link& link : host.links) {
        if (mode == NetworkMode::bridge ? link.kind == "bridge" : !link.loopback && link.kind != "bridge") {
            names.push_back(link.name);
        }
    }
    return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

net::NicPlan link_plan(const NicSettings& wanted, unsigned number, const NicFrame& frame,
                       const std::string& mac, const net::HostNetworkFacts& host) {
    const auto filled = [&](auto request) {
        request.nic = number;
        request.guest_mac = net::parse_mac(mac).value_or(net::Mac{});
        request.mtu = wanted.mtu.value_or(0);
        request.queues = {wanted.queues, true};
        request.owner = frame.vm_name;
        return request;
    };
    if (wanted.network == NetworkMode::bridge) {
        net::BridgeRequest request = filled(net::BridgeRequest{});
        request.bridge = *wanted.bridge;
        return net::plan_bridge_nic(request, host);
    }
    net::DirectRequest request = filled(net::DirectRequest{});
    request.device = *wanted.direct_dev;
    return net::plan_direct_nic(request, host);
}

void take_link_plan(net::NicPlan plan, HostLinkSpec& link, NicSpec& nic, Findings& findings) {
    for (Fault& fault : plan.faults) {
        findings.once(std::move(fault));
    }
    for (const Fault& warning : plan.warnings) {
        findings.note_once(one_line(warning));
    }
    constexpr unsigned ethernet_mtu = 1500;
    for (const net::Operation& operation : plan.operations) {
        const auto* tap = std::get_if<net::CreateTap>(&operation);
        const auto* macvtap = std::get_if<net::CreateMacvtap>(&operation);
        const unsigned mtu = tap != nullptr ? tap->mtu : macvtap != nullptr ? macvtap->mtu : ethernet_mtu;
        if (mtu != ethernet_mtu) {
            nic.mtu = mtu;
        }
    }
    link.operations = std::move(plan.operations);
    link.forwards_after = plan.forwards_after;
}

bool use_vhost(const NicSpec& nic, int vhost_error, Findings& findings) {
    if (nic.model != "virtio") {
        return false;
    }
    if (vhost_error != 0) {
        findings.note_once(fmt::format(
            "no vhost-net: /dev/vhost-net cannot be opened: {} (QEMU moves the frames itself, slower)",
            errno_text(vhost_error)));
    }
    return vhost_error == 0;
}

}  // namespace

HostLinkSpec decide_host_link(const DecideInput& in, const NicFrame& frame, std::size_t index, NicSpec& nic,
                              Findings& findings) {
    const NicSettings& wanted = in.settings.nics[index];
    const bool bridge = wanted.network == NetworkMode::bridge;
    HostLinkSpec link{
        wanted.network, (bridge ? wanted.bridge : wanted.direct_dev).value_or(""), {}, {}, false};
    if (link.upper.empty()) {
        findings.settings_fault(
            fmt::format("{}: {} needs {}", nic_words(in, index, "network"), bridge ? "bridge" : "direct",
                        bridge ? "the bridge's name" : "the lower device's name"),
            fmt::format("there are here: {}", possible_links(*in.facts.network, wanted.network)),
            bridge ? "add --bridge NAME (NETWORK_BRIDGE)" : "add --direct-dev NAME (NETWORK_DIRECT_DEV)");
        return link;
    }
    take_link_plan(link_plan(wanted, static_cast<unsigned>(index) + 1, frame, nic.mac, *in.facts.network),
                   link, nic, findings);
    link.vhost = use_vhost(nic, in.facts.vhost_error, findings);
    return link;
}

}  // namespace vml
