#include "launcher/cases/default_matrix.h"

#include <algorithm>
#include <utility>

namespace vml::cases {

namespace {

// iPXE, from the network alone: a disk that the settings name as well would boot in its place.
std::vector<Assignment> by_ipxe(std::string firmware) {
    return {{"firmware", std::move(firmware)}, {"ipxe", "on"}, {"boot-order", "network"}};
}

std::vector<Assignment> by_undionly() {
    std::vector<Assignment> all = by_ipxe("legacy");
    all.push_back({"undionly", "on"});
    return all;
}

// Of UEFI's own clients one.
std::vector<Assignment> by_client(std::string client, std::string firmware = "uefi") {
    return {{"firmware", std::move(firmware)},
            {"ipxe", "off"},
            {"boot-order", "network"},
            {"pxe", std::move(client)}};
}

Way firmware_way(const std::string& scheme, bool by_six) {
    return {boot::Client::firmware, Way::Path{scheme, by_six}};
}

const std::vector<Bundle>& ways() {
    static const Way by_rom{boot::Client::ipxe};
    static const std::vector<Bundle> rows{
        {"bios-ipxe", "BIOS, the NIC's iPXE ROM", by_ipxe("legacy"), by_rom},
        {"bios-undionly", "BIOS, the ROM's iPXE loads undionly.kpxe, which boots by the ROM's PXE calls",
         by_undionly(), Way{boot::Client::ipxe, {}, "undionly.kpxe"}},
        {"uefi-ipxe", "UEFI, iPXE by a ROM, or as a program in its place", by_ipxe("uefi"), by_rom},
        {"uefi-pxev4", "UEFI's own PXE over IPv4", by_client("v4"), firmware_way("tftp", false)},
        {"uefi-pxev6", "UEFI's own PXE over IPv6", by_client("v6"), firmware_way("tftp", true)},
        {"uefi-httpv4", "UEFI's own HTTP boot over IPv4", by_client("http4"), firmware_way("http", false)},
        {"uefi-httpv6", "UEFI's own HTTP boot over IPv6", by_client("http6"), firmware_way("http", true)},
        {"secure-shim", "UEFI with Secure Boot: its own PXE, and a signed shim", by_client("v4", "secure"),
         firmware_way("tftp", false)},
    };
    return rows;
}

// On a segment of the VM's own, where it is vm-launch that answers.
const std::vector<Bundle>& offers() {
    static const std::vector<Bundle> rows{
        {"dhcp",
         "the server that gives the address names the file",
         {{"network", "isolated"}, {"proxydhcp", "off"}},
         {},
         NamedBy::dhcp},
        {"proxydhcp",
         "a ProxyDHCP server does",
         {{"network", "isolated"}, {"proxydhcp", "on"}},
         {},
         NamedBy::proxydhcp},
    };
    return rows;
}

const Bundle* find_bundle(const std::string& axis, const std::string& value) {
    const std::vector<Bundle>* const bundles = bundles_of(axis);
    if (bundles == nullptr) {
        return nullptr;
    }
    const auto found = std::find_if(bundles->begin(), bundles->end(),
                                    [&](const Bundle& bundle) { return bundle.name == value; });
    return found == bundles->end() ? nullptr : &*found;
}

std::vector<std::string> names_of(const std::vector<Bundle>& bundles) {
    std::vector<std::string> names;
    names.reserve(bundles.size());
    for (const Bundle& bundle : bundles) {
        names.emplace_back(bundle.name);
    }
    return names;
}

}  // namespace

const std::vector<Bundle>* bundles_of(std::string_view axis) {
    return axis == way_axis ? &ways() : axis == offer_axis ? &offers() : nullptr;
}

std::vector<Assignment> assignments_of(const std::string& axis, const std::string& value) {
    if (bundles_of(axis) == nullptr) {
        return {{axis, value}};
    }
    const Bundle* const bundle = find_bundle(axis, value);
    return bundle == nullptr ? std::vector<Assignment>{} : bundle->settings;
}

std::vector<std::string> flags_set_by(const Axis& axis) {
    std::vector<std::string> flags;
    for (const std::string& value : axis.values) {
        for (const Assignment& each : assignments_of(axis.flag, value)) {
            if (std::find(flags.begin(), flags.end(), each.flag) == flags.end()) {
                flags.push_back(each.flag);
            }
        }
    }
    return flags;
}

void expect_of(const std::string& axis, const std::string& value, Expectation& expect) {
    if (const Bundle* const bundle = find_bundle(axis, value)) {
        expect.way = bundle->way ? bundle->way : expect.way;
        expect.named_by = bundle->named_by ? bundle->named_by : expect.named_by;
    }
}

const std::vector<Gap>& known_gaps() {
    static const std::vector<Gap> rows{
        // The ROM of 2019 and that of 2025: undionly.kpxe has the NIC open, sends, and no packet comes in.
        {"bios-undionly", "nic-model", "vmxnet3",
         "iPXE's undionly.kpxe receives nothing over vmxnet3 by the PXE calls of its iPXE ROM"},
        // AAVMF of Debian 12 has no switch for HTTP boot over IPv4 (it does not heed IPv4Support): seen to
        // fetch so.
        {"uefi-httpv6", "arch", "aarch64",
         "AAVMF tries HTTP boot over IPv4 first, and cannot be kept from it: what boots would be that", true},
        // GRUB's net_default_server is the one of the DHCP answer, which names none.
        {"secure-shim", "offer", "proxydhcp",
         "signed GRUB looks for its configuration on the server that the answer with the address names, and "
         "with a ProxyDHCP server that is none"},
    };
    return rows;
}

std::vector<Axis> default_axes() {
    return {{std::string{way_axis}, names_of(ways()), true},
            {"arch", {"x86_64", "aarch64"}, true},
            {"nic-model", {"virtio", "e1000", "e1000e", "rtl8139", "vmxnet3"}, true},
            {std::string{offer_axis}, names_of(offers()), true}};
}

std::vector<Axis> narrowed_default(std::vector<Axis> narrower) {
    std::vector<Axis> axes = default_axes();
    for (Axis& each : narrower) {
        const auto same =
            std::find_if(axes.begin(), axes.end(), [&](const Axis& axis) { return axis.flag == each.flag; });
        if (same != axes.end()) {
            *same = std::move(each);
        } else {
            axes.push_back(std::move(each));
        }
    }
    return axes;
}

}  // namespace vml::cases
