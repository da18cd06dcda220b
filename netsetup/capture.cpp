#include "netsetup/capture.h"

#include <cerrno>
#include <cstdint>

#include <arpa/inet.h>
#include <cap-ng.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include "base/error.h"

namespace vml::net {

namespace {

// Half a second of a link at full speed.
constexpr int receive_buffer = 8 << 20;

// A socket that rests is bound to an Ethernet type that no frame has (0xFFFF is reserved, IEEE 802.3): the
// kernel then finds it for no frame at all (net/core/dev.c, ptype_base). Bound to 0 it would keep its
// protocol (net/packet/af_packet.c, packet_bind; measured).
constexpr int no_protocol = 0xFFFF;

bool bind_to(int fd, int link_index, int protocol) noexcept {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(static_cast<std::uint16_t>(protocol));
    address.sll_ifindex = link_index;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bind(2) takes every kind of address so
    return ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

OwnedFd packet_socket() noexcept {
    return OwnedFd{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
}

void enlarge_buffer(int fd) noexcept {
    // With CAP_NET_ADMIN beyond the limit that is set for everybody.
    if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer) != 0) {
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
}

}  // namespace

OwnedFd open_capture(int link_index) {
    OwnedFd fd = packet_socket();
    if (!fd) {
        throw Error{{"cannot watch the guest's packets", errno_text(errno),
                     "in a container: --cap-add NET_RAW; or --no-boot-watch", ExitCode::host}};
    }
    enlarge_buffer(fd.get());
    if (!bind_to(fd.get(), link_index, ETH_P_ALL)) {
        throw Error{{"cannot watch the guest's packets", errno_text(errno), "or leave it: --no-boot-watch",
                     ExitCode::host}};
    }
    return fd;
}

CapturedFrame read_frame(int fd, std::span<char> room) noexcept {
    sockaddr_ll address{};
    socklen_t size = sizeof address;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): recvfrom(2) gives every kind of address so
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    const ssize_t count = ::recvfrom(fd, room.data(), room.size(), 0, generic, &size);
    return {count, count > 0 && address.sll_pkttype == PACKET_OUTGOING};
}

bool pause_capture(int fd, int link_index) noexcept {
    return bind_to(fd, link_index, no_protocol);
}

bool resume_capture(int fd, int link_index) noexcept {
    return bind_to(fd, link_index, ETH_P_ALL);
}

unsigned lost_frames(int fd) noexcept {
    tpacket_stats statistics{};
    socklen_t size = sizeof statistics;
    return ::getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0 ? statistics.tp_drops : 0;
}

int capture_obstacle() noexcept {
    capng_get_caps_process();
    return capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_RAW) == 1 ? 0 : EPERM;
}

}  // namespace vml::net
