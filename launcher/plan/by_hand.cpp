#include "launcher/plan/by_hand.h"

#include <fmt/format.h>

#include "base/shell.h"

namespace vml {

StandIn by_hand(const BridgePort& port, const NicSpec& nic, unsigned number) {
    const std::string name = fmt::format("vmtap-{}", number);
    const bool several = nic.queues > 1;
    return {fmt::format("ip tuntap add dev {} mode tap vnet_hdr{} && ip link set {} master {} up", name,
                        several ? " multi_queue" : "", name, shell_quoted(port.bridge)),
            fmt::format("ifname={},script=no,downscript=no{}", name,
                        several ? fmt::format(",queues={}", nic.queues) : "")};
}

StandIn by_hand(const Macvtap& macvtap, const NicSpec& nic, unsigned number) {
    const std::string name = fmt::format("vmmac-{}", number);
    const unsigned descriptor = 9 - number % 6;  // a POSIX shell redirects the descriptors up to 9
    return {
        fmt::format("ip link add link {} name {} address {} type macvtap mode bridge && ip link set {} up && "
                    "exec {}<>/dev/tap$(cat /sys/class/net/{}/ifindex)",
                    shell_quoted(macvtap.lower), name, nic.mac, name, descriptor, name),
        fmt::format("fd={}", descriptor)};
}

// With nobody at its other end, unless somebody sees to that.
StandIn by_hand(const Isolated& /*net*/, const NicSpec& /*nic*/, unsigned number) {
    const std::string name = fmt::format("vmtap-{}", number);
    return {fmt::format("ip tuntap add dev {} mode tap vnet_hdr && ip link set {} up", name, name),
            fmt::format("ifname={},script=no,downscript=no", name)};
}

std::string folder_by_hand(const std::string& vm_name) {
    return fmt::format("{}-served", vm_name);
}

std::string serving_by_hand(const Netboot& netboot, const std::string& vm_name) {
    const std::string folder = folder_by_hand(vm_name);
    std::string command = fmt::format("mkdir -p {}", shell_quoted(folder));
    if (netboot.folder) {
        command +=
            fmt::format(" && ln -sfn {}/* {}", shell_quoted(netboot.folder->string()), shell_quoted(folder));
    }
    for (const ServedFile& file : netboot.files) {
        const std::filesystem::path place = std::filesystem::path{folder} / file.name;
        if (file.name.find('/') != std::string::npos) {
            command += fmt::format(" && mkdir -p {}", shell_quoted(place.parent_path().string()));
        }
        command += fmt::format(" && rm -f {}", shell_quoted(place.string()));
        command += file.file.empty() ? fmt::format(" && printf %s {} > {}", shell_quoted(file.text),
                                                   shell_quoted(place.string()))
                                     : fmt::format(" && ln -sfn {} {}", shell_quoted(file.file.string()),
                                                   shell_quoted(place.string()));
    }
    return command;
}

}  // namespace vml
