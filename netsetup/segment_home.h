// What is made inside the network namespace of an isolated segment, by whoever is in there: the bridge, a
// guest's tap, the addresses of its place (base/segment_place.h) and the sockets there. Makes system calls.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "base/fd.h"

namespace vml::net {

enum class SegmentFd : std::size_t {
    tap,      // QEMU's, with room for virtio's header
    frames,   // a packet socket on the tap: the guest's questions for an address, and answers to it alone
    capture,  // all of the guest's packets, as open_capture sees them; none: nobody watches
    http4,    // listens at port 80 of the server's address
    http6,    // where the kernel has IPv6; as are the others
    tftp4,
    tftp6,
    dns4,
    dns6,
    dhcp4,    // takes what is sent to the server's own address, which `frames` sees, so that the kernel does
              // not refuse it
    boot4,    // likewise at the port of a boot server, 4011
    network,  // the namespace; of a segment that has a name, as are these
    user,     // the user namespace that it belongs to; none: it needed none
    door      // listens for others who join
};
inline constexpr std::size_t segment_fds = 14;

struct SegmentLink {
    unsigned number = 1;  // its place, 1 to 254
    int index = 0;        // of the tap
    std::string name{};   // likewise
    std::array<OwnedFd, segment_fds> fds{};

    [[nodiscard]] OwnedFd& fd(SegmentFd which) { return fds.at(static_cast<std::size_t>(which)); }
    [[nodiscard]] const OwnedFd& fd(SegmentFd which) const { return fds.at(static_cast<std::size_t>(which)); }
};

struct SegmentWish {
    std::string segment{};  // its name; empty: nobody joins it
    unsigned mtu = 0;       // of the tap; 0: Ethernet's
    bool watched = false;   // the guest's packets are looked at
    // Of one that is there: how long who is on it may take to open, as one does whose VM is only being
    // started; and what is called once a tenth of that has passed.
    std::chrono::milliseconds patience{10'000};
    std::function<void()> on_wait{};
};

// In the calling thread's network namespace, which is a segment's: the bridge may be there already. Takes the
// first place that is free. Throws Error.
[[nodiscard]] SegmentLink make_segment_link(const SegmentWish& wish);

}  // namespace vml::net
