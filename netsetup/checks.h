// What stands in the way of a NIC on this host, found before anything is changed. Pure: over facts.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "netsetup/host_facts.h"
#include "netsetup/tap_device.h"

namespace vml::net {

// A NIC on a bridge of the host: a tap that becomes a port of it.
struct BridgeRequest {
    unsigned nic = 0;
    std::string bridge{};
    std::string tap_name = "vmtap%d";  // or a pattern with one %d
    Mac guest_mac{};
    unsigned mtu = 0;  // 0: the bridge's
    QueueOptions queues{};
    std::string owner{};  // the VM's name

    bool operator==(const BridgeRequest&) const = default;
};

// A NIC directly on a device of the host: a macvtap in bridge mode.
struct DirectRequest {
    unsigned nic = 0;
    std::string device{};
    std::string macvtap_name = "vmmac%d";  // or a pattern with one %d
    Mac guest_mac{};
    unsigned mtu = 0;  // 0: the device's
    QueueOptions queues{};
    std::string owner{};  // the VM's name

    bool operator==(const DirectRequest&) const = default;
};

// A fault stands in the way; a warning is worth a line, and the VM starts.
struct Finding {
    enum class Severity { warning, fault };
    Severity severity = Severity::fault;
    Fault fault{};

    bool operator==(const Finding&) const = default;
};

// Everything at once. Empty when nothing is wrong.
[[nodiscard]] std::vector<Finding> check_bridge(const BridgeRequest& request, const HostNetworkFacts& facts);
[[nodiscard]] std::vector<Finding> check_direct(const DirectRequest& request, const HostNetworkFacts& facts);

[[nodiscard]] std::vector<Fault> faults_in(const std::vector<Finding>& findings);
[[nodiscard]] std::vector<Fault> warnings_in(const std::vector<Finding>& findings);

}  // namespace vml::net
