#include <algorithm>

#include <fmt/format.h>

#include "launcher/settings/network_options.h"
#include "launcher/vm/decide_parts.h"
#include "launcher/vm/link_kind.h"

namespace vml {

namespace {

bool is_nat(const NicSettings& nic) {
    return std::holds_alternative<Nat>(net_of(nic));
}

void check_ssh_port(const DecideInput& in, std::uint16_t ssh_port, Findings& findings) {
    const auto& forwards = in.settings.port_forwards;
    const PortForward ssh{ssh_port, 0, PortProtocol::tcp, ""};
    if (std::any_of(forwards.begin(), forwards.end(),
                    [&](const PortForward& forward) { return same_host_port(forward, ssh); })) {
        findings.settings_fault(fmt::format("{} and {} both take host port {}", in.origin("ssh-port"),
                                            in.origin("port-forward"), ssh_port),
                                "", "forward each port of the host once");
    }
}

}  // namespace

// The forwards belong to the first NIC of this mode.
Nat decide_nat(const DecideInput& in, std::size_t index, Findings& findings) {
    Nat nat;
    nat.guest = in.settings.nics[index].guest_ip;
    const auto own = in.settings.nics.begin() + static_cast<std::ptrdiff_t>(index);
    if (std::any_of(in.settings.nics.begin(), own, is_nat)) {
        return nat;
    }
    nat.forwards = in.settings.port_forwards;
    if (in.settings.ssh_port) {
        constexpr std::uint16_t ssh = 22;
        nat.forwards.push_back({*in.settings.ssh_port, ssh, PortProtocol::tcp, ""});
        check_ssh_port(in, *in.settings.ssh_port, findings);
    }
    for (PortForward& forward : nat.forwards) {
        if (forward.address.empty()) {
            forward.address = in.listen_address();
        }
    }
    return nat;
}

// What only user-mode networking can do, asked for where there is none.
void check_nat_settings(const DecideInput& in, Findings& findings) {
    if (std::any_of(in.settings.nics.begin(), in.settings.nics.end(), is_nat)) {
        return;
    }
    for (const std::string_view flag : {"port-forward", "ssh-port"}) {
        if (in.origins.contains(flag)) {
            findings.settings_fault(
                fmt::format("{} needs user-mode networking", in.origin(flag)),
                "on a bridge or a device the guest has an address of the network's, which others reach",
                "leave it out, or add a NIC: --nic mode=nat");
        }
    }
}

}  // namespace vml
