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

}  // namespace vml
