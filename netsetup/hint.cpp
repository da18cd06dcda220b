#include "netsetup/hint.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace vml::net {

namespace {

struct Row {
    Step step;
    int error_number;
    std::string_view hint;
};

constexpr std::string_view need_net_admin =
    "run as root; in a container add --cap-add NET_ADMIN and --device /dev/net/tun";

// A macvtap has a character device of its own, whose number is known only when it is made.
constexpr std::string_view need_net_admin_for_macvtap =
    "run as root; in a container add --cap-add NET_ADMIN and --device-cgroup-rule 'c *:* rwm'";

constexpr std::string_view need_user_namespaces =
    "use --network nat, which needs no privilege; or allow user namespaces (sysctl "
    "kernel.unprivileged_userns_clone=1, "
    "on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0), or run as root; in a container add --cap-add "
    "SYS_ADMIN --cap-add NET_ADMIN";

constexpr std::array rows = {
    Row{Step::open_tun, ENOENT,
        "load the tun module (modprobe tun); in a container add --device /dev/net/tun"},
    Row{Step::open_tun, ENXIO, "load the tun module on the host: modprobe tun"},
    Row{Step::open_tun, ENODEV, "load the tun module on the host: modprobe tun"},
    Row{Step::open_tun, EACCES,
        "run as root or give this user access; in a container add --device /dev/net/tun"},
    Row{Step::open_tun, EPERM, "in a container add --device /dev/net/tun: its device rules forbid the node"},
    Row{Step::attach_tap, EPERM, need_net_admin},
    Row{Step::attach_tap, EBUSY, "a link of that name exists: choose another name, or none"},
    Row{Step::attach_tap, EINVAL,
        "a name has at most 15 characters, no slash and no space; or a link of that name exists"},
    Row{Step::attach_tap, E2BIG, "ask for fewer queues"},
    Row{Step::set_mtu_and_mac, EPERM, need_net_admin},
    Row{Step::set_mtu_and_mac, EINVAL, "choose an MTU that the kernel's text allows"},
    Row{Step::set_mtu_and_mac, EADDRNOTAVAIL, "choose a unicast MAC address: the first octet must be even"},
    Row{Step::set_master, EPERM, need_net_admin},
    Row{Step::set_master, ENODEV, "the bridge went away meanwhile: look at `ip link show type bridge`"},
    Row{Step::set_master, EOPNOTSUPP, "the master must be a bridge"},
    Row{Step::set_master, EXFULL, "the bridge has its 1,023 ports: remove one or use another bridge"},
    Row{Step::set_up, EPERM, need_net_admin},
    Row{Step::set_up, EADDRINUSE, "another link on that device has this MAC address: choose another"},
    Row{Step::set_up, ENETDOWN, "bring the lower device up first"},
    Row{Step::keep_datagrams, EPERM, need_net_admin},
    Row{Step::keep_datagrams, ENOENT,
        "load the kernel's modules on the host: modprobe -a sch_ingress cls_bpf; or boot by iPXE (--ipxe), "
        "or by "
        "--pxe http4, which need neither"},
    Row{Step::make_private_netns, EPERM, "this needs CAP_SYS_ADMIN; without it a tagged macvtap does"},
    Row{Step::make_private_netns, ENOSPC, "raise user.max_net_namespaces (sysctl)"},
    Row{Step::create_macvtap, EPERM, need_net_admin_for_macvtap},
    Row{Step::create_macvtap, ENODEV, "the lower device went away meanwhile: look at `ip link`"},
    Row{Step::create_macvtap, EEXIST, "a link of that name exists: choose another name, or none"},
    Row{Step::create_macvtap, EADDRINUSE,
        "another link on that device has this MAC address: choose another, unless a `vm-launch doctor` asks "
        "there "
        "at this moment"},
    Row{Step::create_macvtap, EADDRNOTAVAIL, "choose a unicast MAC address: the first octet must be even"},
    Row{Step::create_macvtap, EBUSY,
        "the device belongs to a bridge, a bond or Open vSwitch: use its master instead"},
    Row{Step::create_macvtap, EOPNOTSUPP, "load the macvtap module on the host: modprobe macvtap"},
    Row{Step::create_macvtap, ENETDOWN, "bring the lower device up first"},
    Row{Step::create_macvtap, EINVAL,
        "choose an Ethernet device without a passthru macvlan, and an MTU no larger than its own"},
    Row{Step::open_macvtap, EPERM,
        "in a container add --device-cgroup-rule 'c *:* rwm', or run it with --privileged: a macvtap's "
        "device number is "
        "known only when it is made"},
    Row{Step::open_macvtap, EACCES, "run as root: the device file of a macvtap belongs to root"},
    Row{Step::attach_macvtap, EINVAL, "ask for one queue: this kernel refuses the flags"},
    Row{Step::attach_macvtap, E2BIG, "ask for fewer queues"},
    Row{Step::delete_link, EPERM,
        "the privilege was dropped: the next start deletes the link, or `ip link delete` does"},
    Row{Step::make_segment, EPERM, need_user_namespaces},
    Row{Step::make_segment, EACCES, need_user_namespaces},
    Row{Step::make_segment, EUSERS, "use --network nat, or raise user.max_user_namespaces (sysctl)"},
    Row{Step::make_segment, ENOSPC,
        "use --network nat, or raise user.max_user_namespaces and user.max_net_namespaces (sysctl)"},
    Row{Step::make_segment, EOPNOTSUPP,
        "load the bridge module on the host (modprobe bridge), or use --network nat"},
    Row{Step::take_owner_lock, EADDRINUSE, "start again: another process took the same random mark"},
};

}  // namespace

std::string hint_for(Step step, int error_number) {
    const auto* const row = std::find_if(rows.begin(), rows.end(), [&](const Row& candidate) {
        return candidate.step == step && candidate.error_number == error_number;
    });
    return row == rows.end() ? std::string{} : std::string{row->hint};
}

}  // namespace vml::net
