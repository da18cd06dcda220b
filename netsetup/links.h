// What the kernel says about network links. Reads only.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netsetup/mac.h"
#include "netsetup/netlink.h"

namespace vml::net {

using Ipv4Address = std::array<std::uint8_t, 4>;  // network byte order
[[nodiscard]] std::string to_text(const Ipv4Address& address);

// BR_STATE_* of include/uapi/linux/if_bridge.h.
enum class PortState : std::uint8_t {
    disabled = 0,
    listening = 1,
    learning = 2,
    forwarding = 3,
    blocking = 4
};

[[nodiscard]] std::string_view to_text(PortState state);

// IFLA_MACVLAN_MODE, enum macvlan_mode of include/uapi/linux/if_link.h.
enum class MacvlanMode : std::uint32_t { private_mode = 1, vepa = 2, bridge = 4, passthru = 8, source = 16 };

// IFLA_INFO_DATA of a bridge.
struct BridgeFacts {
    bool stp = false;                // IFLA_BR_STP_STATE: the kernel's or a user-space protocol runs
    unsigned forward_delay_cs = 0;   // IFLA_BR_FORWARD_DELAY, in hundredths of a second (USER_HZ)
    bool vlan_filtering = false;     // IFLA_BR_VLAN_FILTERING
    std::uint16_t default_pvid = 1;  // IFLA_BR_VLAN_DEFAULT_PVID; 0: a new port is in no VLAN

    bool operator==(const BridgeFacts&) const = default;
};

struct Link {
    int index = 0;
    std::string name{};
    std::string
        kind{};  // IFLA_INFO_KIND: "bridge", "veth", "macvtap", "tun" (a tap too); empty for hardware and lo
    std::string alias{};    // IFLA_IFALIAS
    bool up = false;        // IFF_UP: somebody brought it up
    bool carrier = false;   // IFLA_CARRIER; of a bridge: a port of it forwards
    bool loopback = false;  // IFF_LOOPBACK
    bool ethernet = false;  // ARPHRD_ETHER
    bool wireless = false;  // sysfs knows it as an 802.11 device
    unsigned mtu = 0;
    Mac mac{};
    int master = 0;                // ifindex of the bridge, bond, … that it belongs to; 0: none
    std::string port_of_kind{};    // IFLA_INFO_SLAVE_KIND: the kind of that master
    int lower = 0;                 // IFLA_LINK: the lower device's ifindex; 0: none
    bool lower_elsewhere = false;  // IFLA_LINK_NETNSID: `lower` counts in another network namespace
    unsigned promiscuity = 0;
    std::optional<BridgeFacts> bridge{};        // of a bridge
    std::vector<Ipv4Address> addresses{};       // of this host there; of host_network_facts alone
    std::optional<PortState> port_state{};      // of a bridge's port
    std::optional<MacvlanMode> macvlan_mode{};  // of a macvlan or macvtap

    bool operator==(const Link&) const = default;
};

// The link in an RTM_NEWLINK or RTM_DELLINK message of any family, `wireless` left out. Pure. Messages of the
// family AF_BRIDGE carry a port's state in IFLA_PROTINFO, the others in IFLA_LINKINFO
// (net/bridge/br_netlink.c).
[[nodiscard]] Link parse_link(const nlmsghdr& message);

// Whether it is a bridge's message about a port (family AF_BRIDGE). Pure.
[[nodiscard]] bool is_bridge_message(const nlmsghdr& message);

// Every link of the socket's network namespace, by index. `wireless` is looked up in /sys/class/net, which
// shows the namespace in which it was mounted. Throws Error.
[[nodiscard]] std::vector<Link> list_links(NetlinkSocket& socket);

// The IPv4 addresses of the socket's network namespace, in the kernel's order, in which a link's primary ones
// come before its secondary ones; those that are valid on the link alone (169.254.0.0/16) are left out.
// Throws Error.
struct LinkAddress {
    int link = 0;
    Ipv4Address address{};
    bool operator==(const LinkAddress&) const = default;
};
[[nodiscard]] std::vector<LinkAddress> list_addresses(NetlinkSocket& socket);

// One link; nothing when there is none. Throws Error.
[[nodiscard]] std::optional<Link> find_link(NetlinkSocket& socket, const std::string& name);
[[nodiscard]] std::optional<Link> find_link(NetlinkSocket& socket, int index);

// In a list. Pure. Null when there is none.
[[nodiscard]] const Link* link_named(const std::vector<Link>& links, std::string_view name);
[[nodiscard]] const Link* link_numbered(const std::vector<Link>& links, int index);

// The ports of a bridge, and the macvlans and macvtaps on a device. Pure.
[[nodiscard]] std::vector<const Link*> ports_of(const std::vector<Link>& links, const Link& bridge);
[[nodiscard]] std::vector<const Link*> macvlans_on(const std::vector<Link>& links, const Link& lower);

// How long after coming up a port of this bridge begins to forward: at once without STP, whatever the delay
// says; twice the forward delay with it (listening, then learning). Pure.
[[nodiscard]] std::chrono::milliseconds time_to_forward(const BridgeFacts& bridge);

}  // namespace vml::net
