// The character devices behind taps and macvtaps: opened and attached by ioctl (drivers/net/tun.c,
// drivers/net/tap.c).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/fd.h"

namespace vml::net {

// A tap and its open queues. The link is not persistent: it goes when the last copy of the last queue is
// closed.
struct Tap {
    std::string name;  // as the kernel chose it, when a pattern was asked for
    std::vector<OwnedFd> queues;
};

// What the queues of a NIC are opened with.
struct QueueOptions {
    unsigned queues = 1;  // above 1: IFF_MULTI_QUEUE
    bool vnet_hdr =
        true;  // IFF_VNET_HDR: each frame is led by a virtio_net_hdr of 12 bytes (TUNSETVNETHDRSZ)

    bool operator==(const QueueOptions&) const = default;
};

// Makes a tap in the caller's network namespace: /dev/net/tun, IFF_TAP | IFF_NO_PI. `name` may hold one %d.
// IFF_TUN_EXCL: a link that exists already is never attached to. The descriptors are close-on-exec and
// non-blocking. Throws Error.
[[nodiscard]] Tap open_tap(const std::string& name, const QueueOptions& options);

// Another descriptor of the same queue, which keeps the tap alive as long as it is open; none where there is
// room for no more.
[[nodiscard]] OwnedFd copy_of(const OwnedFd& queue) noexcept;

// What is written to a tap comes from the guest, for the bridge as for every firewall. Whoever reads the tap
// may change the length of the header before each frame at any time (TUNSETVNETHDRSZ), so it is asked for
// (TUNGETVNETHDRSZ). Never waits. False when the frame could not be sent.
bool write_as_guest(int queue, std::string_view frame);

// Opens the character device `number` of a macvtap once for each queue, and attaches. A queue holds the
// network namespace of the thread that opens it. `usual_path` is where the node would be (/dev/tapN): it is
// used only if it has that number. Otherwise a node is made where nobody else sees it, in a tmpfs that is
// mounted nowhere (needs CAP_SYS_ADMIN), or else under /dev by the name `.vm-launch-<mark>` for the moment of
// opening (needs CAP_MKNOD, as the former). Throws Error.
[[nodiscard]] std::vector<OwnedFd> open_macvtap(dev_t number, const std::string& usual_path,
                                                const std::string& mark, const QueueOptions& options);

// The nodes that open_macvtap makes for a moment begin so.
inline constexpr const char* temporary_node_prefix = "/dev/.vm-launch-";

}  // namespace vml::net
