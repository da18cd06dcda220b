#include "netsetup/capture.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <cap-ng.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
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

// Of Ethernet, IPv4 (RFC 791, 3.1) and TCP (RFC 9293, 3.1).
bool narrow(int fd, const TcpTarget& target) noexcept {
    enum Field : std::uint32_t { type = 12, fragment = 20, protocol = 23, to_address = 30, ip_header = 14 };
    enum InTcp : std::uint32_t { to_port = 16, flags = 27 };  // the IP header's first byte is counted, too
    constexpr std::uint32_t syn_and_ack = 0x12;
    constexpr std::uint32_t syn = 0x02;
    constexpr std::uint32_t later_fragment = 0x1FFF;
    const std::uint32_t address = std::uint32_t{target.address[0]} << 24U |
                                  std::uint32_t{target.address[1]} << 16U |
                                  std::uint32_t{target.address[2]} << 8U | target.address[3];
    // What passes a test goes on to the next one; what does not, to the statement before the last.
    std::array<sock_filter, 16> program{{
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, type),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 12),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, protocol),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 10),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, fragment),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, later_fragment, 8, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, to_address),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, address, 0, 6),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, ip_header),
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, to_port),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, target.port, 0, 3),
        BPF_STMT(BPF_LD | BPF_B | BPF_IND, flags),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, syn_and_ack),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, syn, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, capture_length),
    }};
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

Error cannot_watch(std::string hint) {
    return Error{{"cannot watch the guest's packets", errno_text(errno), std::move(hint), ExitCode::host}};
}

OwnedFd socket_to_watch() {
    OwnedFd fd = packet_socket();
    if (!fd) {
        throw cannot_watch("in a container: --cap-add NET_RAW; or --no-boot-watch");
    }
    return fd;
}

}  // namespace

OwnedFd open_capture(int link_index) {
    OwnedFd fd = socket_to_watch();
    enlarge_buffer(fd.get());
    if (!bind_to(fd.get(), link_index, ETH_P_ALL)) {
        throw cannot_watch("or leave it: --no-boot-watch");
    }
    return fd;
}

OwnedFd open_connection_capture(int link_index, const TcpTarget& target) {
    OwnedFd fd = socket_to_watch();
    const int on = 1;  // what goes to the guest, such as a flood of the bridge's, is to take no room
    if (::setsockopt(fd.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0 ||
        !narrow(fd.get(), target) || !bind_to(fd.get(), link_index, ETH_P_ALL)) {
        throw cannot_watch("");
    }
    return fd;
}

OwnedFd open_datagram_capture(int link_index, const DatagramTarget& target) {
    constexpr std::uint32_t whole = 0xFFFF;
    OwnedFd fd = socket_to_watch();
    const int on = 1;  // what goes to the guest is not what it sends
    std::vector<sock_filter> program = datagram_filter(target, whole, 0);
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    if (::setsockopt(fd.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0 ||
        ::setsockopt(fd.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0 ||
        !bind_to(fd.get(), link_index, ETH_P_ALL)) {
        throw cannot_watch("");
    }
    return fd;
}

CapturedFrame read_frame(int fd, std::span<char> room) noexcept {
    sockaddr_ll address{};
    socklen_t size = sizeof address;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): recvfrom(2) gives every kind of address so
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    // MSG_TRUNC: the count is that of the whole frame.
    const ssize_t length = ::recvfrom(fd, room.data(), room.size(), MSG_TRUNC, generic, &size);
    return {std::min(length, static_cast<ssize_t>(room.size())),
            length > 0 ? static_cast<std::size_t>(length) : 0,
            length > 0 && address.sll_pkttype == PACKET_OUTGOING};
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
