#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "launcher/settings/network_options.h"
#include "launcher/vm/decide_parts.h"

namespace vml {

namespace {

// Which setting asks for the port.
std::string_view flag_for(const DecideInput& in, const PortObstacle& obstacle) {
    const auto& forwards = in.settings.port_forwards;
    if (std::any_of(forwards.begin(), forwards.end(), [&](const PortForward& forward) {
            return forward.host_port == obstacle.port && forward.protocol == obstacle.protocol;
        })) {
        return "port-forward";
    }
    return in.settings.ssh_port == obstacle.port ? "ssh-port" : "vnc-port";
}

std::string hint_for(const DecideInput& in, const PortObstacle& obstacle) {
    switch (obstacle.error) {
        case EADDRINUSE:
            return "take another port of the host, or end who has it";
        case EACCES:
            return fmt::format(
                "take a port from 1024 on, or `sysctl net.ipv4.ip_unprivileged_port_start={}`{}",
                obstacle.port,
                in.facts.in_container ? " (a container: docker run --sysctl, and -p maps any port)" : "");
        case EADDRNOTAVAIL:
            return "take an address of this host (`ip address`), or leave it out";
        default:
            return "take another port of the host";
    }
}

std::string why_of(const PortObstacle& obstacle) {
    if (obstacle.error == EACCES) {
        return "ports so low are for the privileged, and QEMU runs without privileges";
    }
    return errno_text(obstacle.error) + (obstacle.owner.empty() ? "" : ": " + obstacle.owner + " has it");
}

// QEMU has one listener a port; each by itself would be free.
void check_screen_port(const DecideInput& in, Findings& findings) {
    const Settings& settings = in.settings;
    if (settings.graphics == Graphics::none) {
        return;
    }
    const auto at_its_address = [&](PortForward forward) {
        forward.address = forward.address.empty() ? in.listen_address() : forward.address;
        return forward;
    };
    const PortForward screen = at_its_address({settings.vnc_port, 0, PortProtocol::tcp, ""});
    const auto refuse = [&](std::string_view flag) {
        findings.settings_fault(fmt::format("{} and {} both take host port {}", in.origin("vnc-port"),
                                            in.origin(flag), settings.vnc_port),
                                "", "give one of them another port of the host");
    };
    if (settings.ssh_port == settings.vnc_port) {
        refuse("ssh-port");
    }
    if (std::any_of(
            settings.port_forwards.begin(), settings.port_forwards.end(),
            [&](const PortForward& forward) { return same_host_port(at_its_address(forward), screen); })) {
        refuse("port-forward");
    }
}

}  // namespace

void check_ports(const DecideInput& in, Findings& findings) {
    check_screen_port(in, findings);
    for (const PortObstacle& obstacle : in.facts.port_obstacles) {
        findings.host_fault(
            fmt::format("{}: QEMU cannot listen on {} port {} of {}", in.origin(flag_for(in, obstacle)),
                        to_string(obstacle.protocol), obstacle.port, obstacle.address),
            why_of(obstacle), hint_for(in, obstacle));
    }
}

}  // namespace vml
