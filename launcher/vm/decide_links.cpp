#include <fmt/format.h>
#include <fmt/ranges.h>

#include "launcher/settings/nic_options.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/link_kind.h"
#include "netsetup/mac.h"
#include "netsetup/plan.h"

namespace vml {

namespace {

// Can this link of the host's be what is meant?
bool could_be(const BridgePort& /*wanted*/, const net::Link& link) {
    return link.kind == "bridge";
}

bool could_be(const Macvtap& /*wanted*/, const net::Link& link) {
    return !link.loopback && link.kind != "bridge";
}

template <typename Request>
Request request_for(const NicPlace& place, const NicSpec& nic) {
    const NicSettings& wanted = place.in.settings.nics[place.index];
    Request request;
    request.nic = static_cast<unsigned>(place.index) + 1;
    request.guest_mac = mac_from_text(nic.mac).value_or(Mac{});
    request.mtu = wanted.mtu.value_or(0);
    request.queues = {wanted.queues, true};
    request.owner = place.frame.vm_name;
    return request;
}

net::NicPlan plan_of(const BridgePort& port, const NicPlace& place, const NicSpec& nic) {
    auto request = request_for<net::BridgeRequest>(place, nic);
    request.bridge = port.bridge;
    return net::plan_bridge_nic(request, *place.in.facts.network);
}

net::NicPlan plan_of(const Macvtap& macvtap, const NicPlace& place, const NicSpec& nic) {
    auto request = request_for<net::DirectRequest>(place, nic);
    request.device = macvtap.lower;
    return net::plan_direct_nic(request, *place.in.facts.network);
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

// The MTU that the guest is told, where it is another than Ethernet's.
std::optional<unsigned> mtu_of(const std::vector<net::Operation>& operations) {
    constexpr unsigned ethernet_mtu = 1500;
    std::optional<unsigned> other;
    for (const net::Operation& operation : operations) {
        const auto* tap = std::get_if<net::CreateTap>(&operation);
        const auto* macvtap = std::get_if<net::CreateMacvtap>(&operation);
        const unsigned mtu = tap != nullptr ? tap->mtu : macvtap != nullptr ? macvtap->mtu : ethernet_mtu;
        if (mtu != ethernet_mtu) {
            other = mtu;
        }
    }
    return other;
}

// "$NETWORK_BRIDGE: ", where a setting of its own has said so: of what --nic says, the fault says which.
std::string origin_of_link(const DecideInput& in, std::size_t index, const LinkKind& kind) {
    const std::string place = index == 0 ? std::string{kind.option} : nic_origin(index, kind.option);
    return in.origins.contains(place) ? in.origin(place) + ": " : "";
}

// What is missing, as the user of this NIC writes it.
std::string option_for(const DecideInput& in, std::size_t index, const LinkKind& kind) {
    if (index == 0) {
        return fmt::format("--{} NAME", kind.option);
    }
    return shown_nic_key(kind.option, "NAME", static_cast<int>(index) + 1,
                         !in.origins.contains(nic_origin(index, "")));
}

// What is done on the host; nothing where that cannot be.
template <typename Link>
std::optional<net::NicPlan> make_link(const NicPlace& place, Link& link, NicSpec& nic, Findings& findings) {
    const LinkKind kind = row_of(link);
    const DecideInput& in = place.in;
    if (host_link_of(link).empty()) {
        std::vector<std::string> possible;
        for (const net::Link& there : in.facts.network->links) {
            if (could_be(link, there)) {
                possible.push_back(there.name);
            }
        }
        findings.settings_fault(
            fmt::format("{}: {} needs {}'s name", nic_words(in, place.index, "network"), kind.name,
                        kind.noun),
            possible.empty() ? "there is none here"
                             : fmt::format("there are here: {}", fmt::join(possible, ", ")),
            fmt::format(
                "add {}{}", option_for(in, place.index, kind),
                possible.empty() && in.facts.in_container
                    ? ", and start the container with `--network host` (Kubernetes: hostNetwork: true)"
                    : ""));
        return std::nullopt;
    }
    net::NicPlan plan = plan_of(link, place, nic);
    const std::string origin = origin_of_link(in, place.index, kind);
    for (Fault fault : plan.faults) {
        fault.what = origin + fault.what;
        findings.once(std::move(fault));
    }
    for (const Fault& warning : plan.warnings) {
        findings.note_once(one_line(warning));
    }
    nic.mtu = mtu_of(plan.operations);
    link.made = {std::move(plan.operations), use_vhost(nic, in.facts.vhost_error, findings)};
    return plan;
}

}  // namespace

BridgePort decide_bridge_port(const NicPlace& place, BridgePort port, NicSpec& nic, Findings& findings) {
    if (const auto plan = make_link(place, port, nic, findings)) {
        port.forwards_after = plan->forwards_after;
    }
    return port;
}

Macvtap decide_macvtap(const NicPlace& place, Macvtap macvtap, NicSpec& nic, Findings& findings) {
    make_link(place, macvtap, nic, findings);
    return macvtap;
}

}  // namespace vml
