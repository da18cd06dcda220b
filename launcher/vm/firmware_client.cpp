#include "launcher/vm/firmware_client.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "launcher/settings/values.h"
#include "launcher/vm/boot_sources.h"

namespace vml {

namespace {

// Without the network there is still a disk or a CD to boot, and nothing names a script or a kernel.
bool boots_without_network(const DecideInput& in) {
    const Settings& settings = in.settings;
    const bool has_disk = !settings.disks.empty() || settings.blank_disk || !settings.extra_disks.empty();
    return !settings.script && !settings.kernel &&
           ((has_disk && boots_from(settings, BootDevice::hd)) ||
            (settings.iso && boots_from(settings, BootDevice::cdrom)));
}

// QEMU's DHCPv6 answers a request for information, and gives no address (libslirp src/dhcpv6.c).
std::string_view why_nobody_serves(NetworkMode network) {
    return network == NetworkMode::bridge
               ? "vm-launch's offer is DHCPv4's, and this client asks by DHCPv6"
               : "QEMU's user-mode network gives no address by DHCPv6, which this client asks for";
}

}  // namespace

bool fetches_by_http(const Settings& settings) {
    return settings.pxe == PxeClient::http4 || settings.pxe == PxeClient::http6;
}

NetworkMode client_network(const DecideInput& in) {
    return in.settings.nics[netboot_nic(in.settings).value_or(0)].network;
}

void tell_of_no_boot(const DecideInput& in, Fault fault, Findings& findings) {
    if (!boots_without_network(in)) {
        findings.add(std::move(fault));
        return;
    }
    findings.note(fmt::format("nothing boots from the network: {}{}{} ({})", fault.what,
                              fault.why.empty() ? "" : ": ", fault.why, fault.hint));
}

bool has_a_server(const DecideInput& in, std::string_view source, Findings& findings) {
    const NetworkMode network = client_network(in);
    const bool asks_by_http = in.settings.pxe == PxeClient::http6;
    if (network == NetworkMode::isolated || (!asks_by_http && in.settings.pxe != PxeClient::v6)) {
        return true;
    }
    tell_of_no_boot(in,
                    {fmt::format("{}: {} gets nothing of it", in.origin(source), in.origin("pxe")),
                     std::string{why_nobody_serves(network)},
                     fmt::format("use {}, or --network isolated", asks_by_http ? "--pxe http4" : "--pxe v4"),
                     ExitCode::settings},
                    findings);
    return false;
}

}  // namespace vml
